//! Everything that pages say, in both languages. A sentence that names something has its place marked by `{}`.

use domain::value::{Scope, turns_text};
use maud::{Markup, html};

use super::Language;

macro_rules! words {
    ($($name:ident: $en:literal, $ja:literal;)+) => {
        /// What pages say.
        pub(super) struct Words { $(pub(super) $name: &'static str,)+ }
        const ENGLISH: Words = Words { $($name: $en,)+ };
        const JAPANESE: Words = Words { $($name: $ja,)+ };
    };
}

words! {
    skip: "Skip to content", "本文へ移動";
    sign_in: "Sign in", "サインイン";
    email: "E-mail address", "メールアドレス";
    password: "Password", "パスワード";
    sign_in_failed: "That address and password do not match. Check both and try again.", "メールアドレスまたはパスワードが正しくありません。確認して、もう一度お試しください。";
    sign_in_slower: "Too many attempts. Wait a little before you try again.", "試行回数が多すぎます。少し待ってから、もう一度お試しください。";
    sign_in_busy: "Many people are signing in right now. Try again in a moment.", "現在混み合っています。しばらくしてから、もう一度お試しください。";
    sign_in_for: "to go on to {}", "{} に進みます";
    allow_title: "Allow {} to use your tools?", "{} にツールの使用を許可しますか？";
    signed_in_as: "Signed in as", "サインイン中";
    other_person: "Use another account", "別のアカウントを使う";
    client: "Application", "アプリケーション";
    instance: "Tools", "ツール";
    organization: "Organization", "組織";
    described_at: "It is described by", "説明の掲載元";
    leads_to: "You will be sent to", "移動先";
    loopback: "After this you are sent to a program on this very computer. Allow it only if you have just started it here yourself.", "許可すると、このコンピューター上のプログラムに移動します。ご自身が今ここで起動したものでなければ、許可しないでください。";
    private_scheme: "After this an app on this device is opened. Any app here may claim that address: allow it only if you have just started it yourself.", "許可すると、この端末のアプリが開きます。同じ宛先を名乗るアプリが他にもあり得ます。ご自身が今起動したものでなければ、許可しないでください。";
    self_registered: "This application registered itself; nobody has checked that it is what it says.", "このアプリケーションは自ら登録したもので、名乗りどおりのものかどうかは確認されていません。";
    it_may: "It may:", "許可する内容：";
    choose_one: "Leave at least one permission on, or deny the request.", "少なくとも一つを選ぶか、拒否してください。";
    revocable: "You can take this back at any time under “What you allowed”.", "この許可は「許可したもの」からいつでも取り消せます。";
    allow: "Allow", "許可する";
    deny: "Deny", "拒否する";
    welcome: "Welcome", "ようこそ";
    welcome_made: "An organization of your own was made for you. Only you are in it, and what you connect there is yours alone.", "あなた専用の組織ができました。メンバーはあなただけで、ここに接続したものはあなただけのものです。";
    welcome_address: "Its name in addresses", "アドレスでの名前";
    go_on: "Continue", "続ける";
    allowed: "What you allowed", "許可したもの";
    allowed_none: "No application may use your tools on your behalf.", "あなたに代わってツールを使えるアプリケーションはありません。";
    since: "since {}", "{} から";
    revoke: "Take back", "取り消す";
    revoke_label: "Take back what {} may do", "{} の許可を取り消す";
    revoked: "It is taken back. It holds at once, everywhere.", "取り消しました。直ちに、すべてに反映されます。";
    sessions: "Where you are signed in", "サインインしている場所";
    this_session: "this browser", "このブラウザー";
    seen: "last used {}", "最終使用 {}";
    end_session: "Sign out", "サインアウト";
    end_session_label: "Sign out {}", "{} をサインアウトする";
    end_others: "Sign out everywhere else", "ほかのすべてをサインアウトする";
    ended: "Signed out there.", "サインアウトしました。";
    account: "Your account", "アカウント";
    change_password: "Change password", "パスワードを変更";
    password_now: "Current password", "現在のパスワード";
    password_new: "New password", "新しいパスワード";
    password_rule: "8 to 71 bytes; a few words make a good one.", "8～71バイト。いくつかの単語を並べたものが適しています。";
    password_bad: "A password has 8 to 71 bytes (about 23 characters in Japanese) and no null character.", "パスワードは8～71バイト（日本語で約23文字まで）で、NUL文字は使えません。";
    password_wrong: "The current password is not right.", "現在のパスワードが正しくありません。";
    password_changed: "The password is changed. You are signed out everywhere else.", "パスワードを変更しました。ほかのすべての場所からサインアウトしました。";
    save: "Save", "保存";
    sign_out: "Sign out", "サインアウト";
    sign_out_ask: "Sign out of this browser?", "このブラウザーからサインアウトしますか？";
    signed_out: "You are signed out.", "サインアウトしました。";
    unknown_browser: "A browser that does not say what it is", "不明なブラウザー";
    on: "{} on {}", "{}（{}）";
    fault_client: "This application is not known here", "このアプリケーションは登録されていません";
    fault_client_text: "The link that brought you here names an application that this service does not know, or that was turned off. Nothing was allowed. Go back to the application and start again; if it happens again, tell whoever runs it.", "移動元のリンクにあるアプリケーションは、登録されていないか無効になっています。何も許可されていません。アプリケーションに戻ってやり直してください。繰り返す場合は、その提供元にお知らせください。";
    fault_document: "What this application says of itself cannot be read", "アプリケーションの説明を読み込めません";
    fault_document_text: "The link that brought you here names a document that describes an application. It cannot be fetched, or does not say what it must. Nothing was allowed. Go back to the application and start again; if it happens again, tell whoever runs it.", "移動元のリンクはアプリケーションの説明文書を指していますが、取得できないか、内容が正しくありません。何も許可されていません。アプリケーションに戻ってやり直してください。繰り返す場合は、その提供元にお知らせください。";
    fault_redirect: "This application asked to send you somewhere else", "登録されていない移動先です";
    fault_redirect_text: "The address that it wants to send you to is not one that it registered, so you stay here. Nothing was allowed. Tell whoever runs the application.", "アプリケーションが指定した移動先は登録されていないため、ここで止めました。何も許可されていません。アプリケーションの提供元にお知らせください。";
    held: "This application's request has a mistake", "アプリケーションのリクエストに誤りがあります";
    held_text: "It registered itself, and nobody has checked where it would send you, so you stay here. Nothing was allowed. Tell whoever runs the application what is wrong.", "自ら登録したアプリケーションで、移動先は確認されていないため、ここで止めました。何も許可されていません。次の内容をアプリケーションの提供元にお知らせください。";
    held_error: "What is wrong", "誤りの内容";
    held_leads_to: "It would send you to", "移動先";
    held_go_on: "I know this application: tell it, and go there", "このアプリケーションを知っているので、内容を伝えて移動する";
    sign_in_elsewhere: "Or with an account elsewhere", "または、ほかのアカウントで";
    sign_in_with: "Sign in with {}", "{} でサインイン";
    sign_in_again: "For this, sign in once more.", "この操作には、もう一度サインインが必要です。";
    led_to: "Going on to {}", "{} に移動しています";
    provider_down: "That service does not answer right now. Nothing is wrong with your account; try again in a while.", "現在、そのサービスから応答がありません。アカウントに問題はありません。しばらくしてから、もう一度お試しください。";
    provider_refused: "You were not signed in there. Try again, or choose another way.", "サインインできませんでした。もう一度試すか、別の方法を選んでください。";
    not_allowed: "This account may not sign in here. Ask whoever administers this service.", "このアカウントではサインインできません。管理者にお問い合わせください。";
    other_person_there: "Another account is signed in there. Sign in again as yourself.", "別のアカウントでサインインされています。ご自身のアカウントで、もう一度サインインしてください。";
    degraded: "The service that you sign in with does not answer right now. You can go on for a while; afterwards you will have to sign in there again.", "サインインに使うサービスから応答がありません。しばらくはこのまま利用できますが、その後は再度サインインが必要です。";
    identities: "Ways to sign in", "サインインの方法";
    is_linked: "linked", "連携済み";
    link: "Link {}", "{} を連携";
    unlink: "Unlink {}", "{} の連携を解除";
    linked: "Linked. You can sign in with it from now on.", "連携しました。今後はこの方法でもサインインできます。";
    not_linked: "Not linked: that account belongs to somebody else here, or you have linked too many.", "連携できませんでした。別の利用者と連携済みか、連携数が上限に達しています。";
    unlinked: "Unlinked. It no longer signs you in.", "連携を解除しました。今後この方法ではサインインできません。";
    last_way_in: "This is your last way to sign in. Set a password or link another account first.", "これが最後のサインイン方法です。先にパスワードを設定するか、別のアカウントを連携してください。";
    fault_provider: "There is no such way to sign in", "このサインイン方法はありません";
    fault_provider_text: "It was removed, or the link that brought you here is wrong. Choose another way.", "削除されたか、リンクが正しくありません。別の方法を選んでください。";
    fault_form: "This form is out of date", "このフォームは無効です";
    fault_form_text: "It was open for too long, was sent from another page, or belongs to another sign-in. Nothing was done. Start again from the application.", "時間が経ち過ぎたか、別のページまたは別のサインインから送信されました。何も行われていません。アプリケーションからやり直してください。";
    fault_request: "This request cannot be read", "リクエストを読み取れません";
    fault_request_text: "Something in it is missing, twice there, or too large. Nothing was done.", "不足や重複があるか、大き過ぎます。何も行われていません。";
    fault_too_often: "Too many requests", "リクエストが多すぎます";
    fault_too_often_text: "Too many requests came from here in a short time. Nothing was done. Wait a little and try again.", "短時間に多くのリクエストがありました。何も行われていません。少し待ってから、もう一度お試しください。";
    fault_unavailable: "Not right now", "ただいまご利用いただけません";
    fault_unavailable_text: "Something behind this page does not answer. Nothing was done. Try again in a moment.", "内部のサービスが応答していません。何も行われていません。しばらくしてから、もう一度お試しください。";
    connect: "Connect a server", "サーバーを接続";
    connect_title: "Connect {}?", "{} を接続しますか？";
    connect_server: "Server", "サーバー";
    connect_shared: "Whoever may use the tools of the organization acts there with what you allow now.", "組織のツールを使える人は皆、ここで許可する権限でサーバーを利用します。";
    connect_own: "Calls with this connection act there in your name.", "この接続による呼び出しは、あなたの名前で行われます。";
    connect_leads: "You are led to the place where this server is authorized, and come back here afterwards.", "このサーバーの認可を行う場所に移動し、その後ここに戻ります。";
    connect_failed: "It is not connected", "接続できませんでした";
    connect_again: "Try again", "もう一度試す";
    connected: "{} is connected", "{} を接続しました";
    connected_text: "You can close this page. Calls that waited for this can be made again.", "このページは閉じてかまいません。待っていた呼び出しをやり直せます。";
    fault_connection: "There is nothing to connect here", "接続できるものがありません";
    fault_connection_text: "It was removed, is not connected in this way, or belongs to somebody else. Nothing was done. Ask whoever sent you here, or an owner of the organization.", "削除されたか、この方法では接続しないか、ほかの人のものです。何も行われていません。案内した人か、組織の所有者にお問い合わせください。";
    fault_home: "To your account", "アカウントへ";
}

impl Words {
    /// In this language.
    pub(super) const fn of(language: Language) -> &'static Self {
        match language {
            Language::English => &ENGLISH,
            Language::Japanese => &JAPANESE,
        }
    }
}

/// A sentence with what it names in it.
pub(super) fn say(sentence: &str, names: &[&str]) -> String {
    let mut parts = sentence.split("{}");
    let first = parts.next().unwrap_or_default().to_owned();
    parts.zip(names).fold(first, |text, (part, name)| text + &straight(name) + part)
}

/// A name on its own: in whatever direction it is read, what stands beside it is read as it stands (`oauth.md`, case 42).
pub(super) fn named(name: &str) -> Markup {
    html! { bdi { (straight(name)) } }
}

/// A name without what turns the text around it.
fn straight(name: &str) -> String {
    name.chars().filter(|letter| !turns_text(*letter)).collect()
}

/// A scope in words.
pub(super) fn scope(language: Language, scope: &Scope) -> String {
    let (en, ja) = match scope {
        Scope::McpRead => (
            "See what is there, read it, and call tools that only read",
            "一覧と内容を見て、読み取り専用のツールを呼び出す",
        ),
        Scope::McpWrite => (
            "Call every tool, also those that change or delete things",
            "変更や削除を行うものを含む、すべてのツールを呼び出す",
        ),
        Scope::McpAdmin => ("Administer what is behind the tools", "ツールの背後にあるものを管理する"),
        Scope::Tool(name) => {
            let sentence = match language {
                Language::English => "Call the tool {}",
                Language::Japanese => "ツール {} を呼び出す",
            };
            return say(sentence, &[name.as_str()]);
        }
        Scope::OrgRead => ("Read the organization", "組織の情報を読む"),
        Scope::OrgWrite => ("Change the organization", "組織を変更する"),
        Scope::KeysWrite => ("Issue and revoke API keys", "APIキーを発行・失効する"),
        Scope::ClientsWrite => ("Register and remove applications", "アプリケーションを登録・削除する"),
        Scope::AuditRead => ("Read the history", "履歴を読む"),
    };
    match language {
        Language::English => en.to_owned(),
        Language::Japanese => ja.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_stands_where_its_place_is_and_is_never_a_place_itself() {
        assert_eq!(say("{} on {}", &["{}", "Linux"]), "{} on Linux");
        assert_eq!(say("nothing", &["x"]), "nothing");
        assert_eq!(say("Call {} now", &["a\u{202e}b\u{2069}"]), "Call ab now");
    }
}
