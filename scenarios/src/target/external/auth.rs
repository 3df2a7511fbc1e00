//! How a user of somebody's back end proves who they are.

use clock::Timestamp;
use jsonwebtoken::{EncodingKey, Header};
use reqwest::Method;
use serde::Deserialize;
use serde_json::{Value, json};

use super::{fill::Words, span};
use crate::rest::{Request, Rest};

/// The password of every account that the harness makes.
const PASSWORD: &str = "correct horse battery";

/// How a user proves who they are.
#[derive(Clone, Debug, PartialEq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Auth {
    /// Nobody asks.
    None,
    /// Everybody comes with this token; the target then has one user.
    Token(String),
    /// Each user has a JSON Web Token of their own, signed here.
    Jwt(Jwt),
    /// Each user registers, or logs in where there is an account.
    Calls(Calls),
}

/// A JSON Web Token, signed with HS256.
#[derive(Clone, Debug, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Jwt {
    /// The secret that the back end checks signatures with.
    pub secret: String,
    /// The claims; texts may hold `{user}`, `{email}` and `{language}`. `iat` and `exp` are added.
    pub claims: toml::Table,
    /// How long a token is good for.
    #[serde(default = "an_hour", with = "span")]
    pub lifetime: std::time::Duration,
}

const fn an_hour() -> std::time::Duration {
    std::time::Duration::from_hours(1)
}

/// Calls that bring a token.
#[derive(Clone, Debug, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Calls {
    /// Makes an account.
    pub register: Option<AuthCall>,
    /// Logs in; called when `register` is not given, or brings no token.
    pub login: Option<AuthCall>,
}

/// One call.
#[derive(Clone, Debug, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct AuthCall {
    /// The path.
    pub path: String,
    /// The body; texts may hold `{user}`, `{email}`, `{password}` and `{language}`.
    #[serde(default)]
    pub body: toml::Table,
    /// JSON pointer to the token in the answer.
    #[serde(default = "token_pointer")]
    pub token: String,
}

fn token_pointer() -> String {
    "/token".to_owned()
}

/// Somebody who wants to get in.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Visitor<'a> {
    /// Not used by anybody else, in this run or another.
    pub(crate) user: &'a str,
    pub(crate) language: &'a str,
    pub(crate) now: Timestamp,
}

impl Visitor<'_> {
    fn words(&self) -> Words {
        Words::from([
            ("user", self.user.to_owned()),
            ("email", format!("{}@example.org", self.user)),
            ("password", PASSWORD.to_owned()),
            ("language", self.language.to_owned()),
        ])
    }
}

impl Auth {
    /// Returns the calls of the reference server.
    pub(crate) fn reference() -> Self {
        let body = [
            ("email", "{email}"),
            ("password", "{password}"),
            ("display_name", ""),
            ("language", "{language}"),
        ];
        let call = |path: &str| AuthCall {
            path: path.to_owned(),
            body: body.iter().map(|(key, value)| ((*key).to_owned(), toml::Value::from(*value))).collect(),
            token: token_pointer(),
        };
        let (register, login) = (Some(call("/api/auth/register")), Some(call("/api/auth/login")));
        Self::Calls(Calls { register, login })
    }

    /// Says whether users can be told apart.
    pub(crate) const fn tells_users_apart(&self) -> bool {
        matches!(self, Self::Jwt(_) | Self::Calls(_))
    }

    /// Gets a token for the visitor; `None` where nobody asks for one.
    pub(crate) async fn sign_in(&self, rest: &Rest, visitor: Visitor<'_>) -> Result<Option<String>, String> {
        match self {
            Self::None => Ok(None),
            Self::Token(token) => Ok(Some(token.clone())),
            Self::Jwt(jwt) => jwt.sign(visitor).map(Some),
            Self::Calls(calls) => calls.token(rest, &visitor.words()).await.map(Some),
        }
    }
}

impl Jwt {
    fn sign(&self, visitor: Visitor<'_>) -> Result<String, String> {
        let claims = serde_json::to_value(&self.claims).unwrap_or_default();
        let mut claims = visitor.words().fill_all(claims);
        let now = visitor.now.as_second();
        let lifetime = i64::try_from(self.lifetime.as_secs()).unwrap_or(i64::MAX);
        claims["iat"] = json!(now);
        claims["exp"] = json!(now.saturating_add(lifetime));
        let key = EncodingKey::from_secret(self.secret.as_bytes());
        jsonwebtoken::encode(&Header::default(), &claims, &key)
            .map_err(|error| format!("cannot sign a token: {error}"))
    }
}

impl Calls {
    async fn token(&self, rest: &Rest, words: &Words) -> Result<String, String> {
        let mut refused = Vec::new();
        for call in [&self.register, &self.login].into_iter().flatten() {
            let body = words.fill_all(serde_json::to_value(&call.body).unwrap_or_default());
            let request = Request {
                method: Method::POST,
                path: call.path.clone(),
                body: Some(body),
                ..Request::default()
            };
            let answer = rest.call(request).await?;
            match answer.body.pointer(&call.token).and_then(Value::as_str) {
                Some(token) => return Ok(token.to_owned()),
                None => refused.push(format!(
                    "`{}` answered {} with no token at `{}`: {}",
                    answer.call, answer.status, call.token, answer.body
                )),
            }
        }
        Err(refused.join("; "))
    }
}

#[cfg(test)]
mod tests {
    use std::{
        collections::BTreeMap,
        net::{IpAddr, Ipv4Addr},
    };

    use jsonwebtoken::{DecodingKey, Validation};

    use super::*;

    const VISITOR: Visitor<'_> =
        Visitor { user: "ana.1", language: "es", now: Timestamp::constant(4_000_000_000, 0) };

    fn rest() -> Rest {
        Rest::new("http://127.0.0.1:9", None, IpAddr::V4(Ipv4Addr::LOCALHOST)).unwrap()
    }

    #[tokio::test]
    async fn a_token_is_signed_for_each_user_with_the_given_claims_s5() {
        let auth: Auth = toml::from_str(
            "[jwt]\nsecret = \"s\"\nlifetime = \"10m\"\nclaims = { sub = \"{user}\", mail = \"{email}\", roles = [\"{language}\"] }",
        )
        .unwrap();

        let token = auth.sign_in(&rest(), VISITOR).await.unwrap().unwrap();

        let key = DecodingKey::from_secret(b"s");
        let claims = jsonwebtoken::decode::<BTreeMap<String, Value>>(&token, &key, &Validation::default());
        let claims = claims.unwrap().claims;
        assert_eq!((&claims["sub"], &claims["roles"][0]), (&json!("ana.1"), &json!("es")));
        assert_eq!(claims["mail"], "ana.1@example.org");
        assert_eq!((&claims["iat"], &claims["exp"]), (&json!(4_000_000_000_u64), &json!(4_000_000_600_u64)));
    }

    #[tokio::test]
    async fn a_fixed_token_is_everybodys_and_none_is_nobodys_s5() {
        let fixed: Auth = toml::from_str::<BTreeMap<String, Auth>>("auth = { token = \"sk-1\" }")
            .unwrap()
            .remove("auth")
            .unwrap();

        assert_eq!(fixed.sign_in(&rest(), VISITOR).await, Ok(Some("sk-1".to_owned())));
        assert_eq!(Auth::None.sign_in(&rest(), VISITOR).await, Ok(None));
        assert!(!fixed.tells_users_apart() && Auth::reference().tells_users_apart());
    }
}
