//! What a client's document says, read by the rules of registration (RFC 7591, 2) and a few of its own: it names its own address, has a name and
//! redirects, and holds no secret, since anybody can read it.

use domain::client::{ClientAuthentication, ClientDocument, ClientKind};
use domain::value::ClientUrl;
use serde::Deserialize;
use serde_json::Value;

use crate::oauth::metadata::PUBLIC;
use crate::oauth::register::ClientMetadata;
use crate::token::id_of;

#[derive(Deserialize)]
struct Own {
    client_id: String,
    #[serde(rename = "client_name")]
    _name: String,
    client_secret: Option<Value>,
    client_secret_expires_at: Option<Value>,
}

/// Reads the document that lies at an address; or why it is none, for the log.
pub(super) fn read(url: &ClientUrl, body: &[u8]) -> Result<ClientDocument, String> {
    // A list would be read as an object whose members have no names.
    if !body.trim_ascii_start().starts_with(b"{") {
        return Err("it is no JSON object".to_owned());
    }
    let own: Own = serde_json::from_slice(body).map_err(|error| error.to_string())?;
    if own.client_id != url.as_str() {
        return Err("its client_id is another address".to_owned());
    }
    if own.client_secret.is_some() || own.client_secret_expires_at.is_some() {
        return Err("it holds a secret".to_owned());
    }
    let said: ClientMetadata = serde_json::from_slice(body).map_err(|error| error.to_string())?;
    let keys = said.keys().map_err(|error| error.description().to_owned())?;
    let kind = match (said.method(), keys) {
        (None | Some(PUBLIC), None) => ClientKind::Public,
        (Some(way), Some(keys)) if way == ClientAuthentication::PrivateKeyJwt.as_str() => keys.into(),
        (_, _) => {
            return Err("it proves itself by nothing, or by private_key_jwt with jwks or jwks_uri".to_owned());
        }
    };
    let described = said.description(id_of(url)).map_err(|error| error.description().to_owned())?;
    Ok(ClientDocument {
        url: url.clone(),
        name: described.name,
        kind,
        redirect_uris: described.redirect_uris,
        scopes: described.scopes,
        grant_types: described.grant_types,
    })
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    const URL: &str = "https://app.example.com/client.json";

    fn good() -> Value {
        json!({
            "client_id": URL,
            "client_name": "App",
            "redirect_uris": ["https://app.example.com/cb"],
            "token_endpoint_auth_method": "none",
        })
    }

    fn read_with(member: &str, value: Value) -> Result<ClientDocument, String> {
        let mut document = good();
        document[member] = value;
        read(&ClientUrl::parse(URL).unwrap(), document.to_string().as_bytes())
    }

    #[test]
    fn item_54_a_document_that_is_not_of_its_address_or_holds_a_secret_is_none() {
        let key = json!({"kty": "OKP", "crv": "Ed25519", "x": "11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo"});
        let mut private = key.clone();
        private["d"] = json!("nWGxne_9WmC6hEr0kuwsxERJxWl7MmkZcDusAxyuf2A");
        for (member, value) in [
            ("client_id", json!("https://app.example.com/client.json?")),
            ("client_id", json!("https://evil.example/client.json")),
            ("client_id", Value::Null),
            ("client_name", Value::Null),
            ("client_name", json!("")),
            ("redirect_uris", Value::Null),
            ("redirect_uris", json!([])),
            ("redirect_uris", json!(["javascript:alert(1)"])),
            ("client_secret", json!("hunter2")),
            ("client_secret_expires_at", json!(0)),
            ("token_endpoint_auth_method", json!("client_secret_basic")),
            ("token_endpoint_auth_method", json!("client_secret_post")),
            ("token_endpoint_auth_method", json!("client_secret_jwt")),
            ("token_endpoint_auth_method", json!("private_key_jwt")),
            ("jwks", json!({ "keys": [key] })),
            ("jwks", json!({ "keys": [private] })),
            ("jwks_uri", json!("https://app.example.com/keys")),
            ("grant_types", json!(["client_credentials"])),
            ("software_statement", json!("a.b.c")),
        ] {
            assert!(read_with(member, value.clone()).is_err(), "{member}: {value}");
        }
        let url = ClientUrl::parse(URL).unwrap();
        for body in ["", "[]", "null", "{", "\"x\"", &format!("[{}]", good())] {
            assert!(read(&url, body.as_bytes()).is_err(), "{body}");
        }
    }

    #[test]
    fn item_54_keys_lie_in_the_document_or_where_it_says_and_not_at_both() {
        let mut document = good();
        document["token_endpoint_auth_method"] = json!("private_key_jwt");
        document["jwks_uri"] = json!("https://app.example.com/keys");
        let url = ClientUrl::parse(URL).unwrap();
        let read_now = |document: &Value| read(&url, document.to_string().as_bytes());
        assert!(matches!(read_now(&document).unwrap().kind, ClientKind::Publishing { .. }));
        let x = "11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo";
        document["jwks"] = json!({ "keys": [{ "kty": "OKP", "crv": "Ed25519", "x": x }] });
        assert!(read_now(&document).is_err());
        document.as_object_mut().unwrap().remove("jwks_uri");
        assert!(matches!(read_now(&document).unwrap().kind, ClientKind::Keyed { .. }));
    }

    #[test]
    fn item_54_a_document_is_read_as_a_registration_is() {
        let read = read_with("contacts", json!(["ann@example.com"])).unwrap();
        assert_eq!((read.name.as_str(), read.kind), ("App", ClientKind::Public));
        let unsaid = read_with("token_endpoint_auth_method", Value::Null).unwrap();
        assert_eq!(unsaid.kind, ClientKind::Public, "of all ways to prove oneself, a secret is none here");
    }
}
