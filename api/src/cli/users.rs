//! `sekisho users`: what the operator does for people, at the machine that holds the database and the master key.

use std::io::{IsTerminal as _, Read as _};
use std::process::ExitCode;
use std::sync::Arc;

use clap::{Args, Subcommand};
use commands::HashError;
use commands::user::SetPassword;
use domain::value::{EmailAddress, UserId};

use super::opened::{OpenError, Opened};
use super::operator::{self, OperatorError};
use super::{checked, complain, say};
use crate::adapters::key_digest::{KeyDigestError, KeyDigests};
use crate::config::{BcryptOptions, Deployment, DeploymentOptions};
use crate::passwords::{InPlaceOf, KeptError, NewPassword};
use crate::people::sessions::Which;
use crate::people::{owner_of, replace_password};
use crate::wiring::passwords;

/// Longest text that is read as a password: more is none.
const INPUT_BYTES_MAX: u64 = 4 * 1024;

/// People.
#[derive(Debug, Subcommand)]
pub(super) enum Users {
    /// Set somebody's password, read from standard input, and end their sessions
    SetPassword(SetPasswordOf),
}

/// Whose.
#[derive(Debug, Args)]
pub(super) struct SetPasswordOf {
    /// The user's id
    #[arg(long, value_name = "ID", value_parser = UserId::parse, required_unless_present = "email")]
    user: Option<UserId>,

    /// The user's e-mail address, instead of the id
    #[arg(long, value_name = "ADDRESS", value_parser = EmailAddress::parse, conflicts_with = "user")]
    email: Option<EmailAddress>,

    #[command(flatten)]
    options: DeploymentOptions,

    #[command(flatten)]
    bcrypt: BcryptOptions,
}

#[derive(Debug, thiserror::Error)]
enum Failed {
    #[error(transparent)]
    Open(#[from] OpenError),
    #[error(transparent)]
    DataKeys(#[from] KeyDigestError),
    #[error("nobody has this e-mail address")]
    Nobody,
    #[error(transparent)]
    Order(#[from] OperatorError),
    #[error(transparent)]
    Hash(#[from] HashError),
    #[error(transparent)]
    Kept(#[from] KeptError),
    #[error(transparent)]
    Database(#[from] sqlx::Error),
}

impl Users {
    pub(super) async fn run(self) -> ExitCode {
        let Self::SetPassword(line) = self;
        let read = checked(line.options.check())
            .and_then(|deployment| Ok((deployment, checked(line.bcrypt.check())?)));
        let (deployment, cost) = match read {
            Ok(read) => read,
            Err(code) => return code,
        };
        let password = match typed() {
            Ok(password) => password,
            Err(why) => {
                complain(&why);
                return ExitCode::from(2);
            }
        };
        match line.work(&deployment, cost, &password).await {
            Ok(user) => {
                say(&format!("the password of user {user} is set, and their sessions are ended"));
                ExitCode::SUCCESS
            }
            Err(error) => {
                complain(&error.to_string());
                ExitCode::FAILURE
            }
        }
    }
}

/// The first line of standard input. Never an argument: those are shown to everybody on the machine.
fn typed() -> Result<NewPassword, String> {
    if std::io::stdin().is_terminal() {
        say("The new password, which is shown as you type it:");
    }
    let mut text = String::new();
    let mut input = std::io::stdin().lock().take(INPUT_BYTES_MAX);
    if std::io::stdin().is_terminal() {
        std::io::BufRead::read_line(&mut input, &mut text).map_err(|error| error.to_string())?;
    } else {
        input.read_to_string(&mut text).map_err(|error| error.to_string())?;
    }
    let line = text.lines().next().unwrap_or_default().to_owned();
    NewPassword::parse(line).map_err(|error| error.to_string())
}

impl SetPasswordOf {
    async fn work(
        &self,
        deployment: &Deployment,
        cost: u32,
        password: &NewPassword,
    ) -> Result<UserId, Failed> {
        let opened = Opened::of(&deployment.place).await?;
        let set = self.set(deployment, cost, (&opened, password)).await;
        opened.close().await;
        set
    }

    async fn set(
        &self,
        deployment: &Deployment,
        cost: u32,
        (opened, password): (&Opened, &NewPassword),
    ) -> Result<UserId, Failed> {
        let master = opened.master_key(&deployment.master_key)?;
        let digests = Arc::new(KeyDigests::load(&opened.pool, &master).await?.at_cost(cost));
        let user = match (self.user, &self.email) {
            (Some(user), _) => user,
            (None, Some(email)) => {
                let index = digests.blind_index("email", email.as_str());
                owner_of(&opened.pool, &index).await?.ok_or(Failed::Nobody)?
            }
            (None, None) => return Err(Failed::Nobody),
        };
        let passwords = passwords(&opened.pool, &master, &digests);
        let hash = passwords.hash(password).await?;
        let told = operator::order(deployment, opened, format!("set-password:{user}"), &SetPassword { user })
            .await?;
        let new = (&hash, told, InPlaceOf::Any);
        replace_password(&opened.pool, &passwords, user, new, Which::All).await?;
        Ok(user)
    }
}
