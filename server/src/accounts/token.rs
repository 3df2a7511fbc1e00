//! Signed tokens: HS256 and nothing else, with an end that the handed-in clock decides.

use std::time::Duration;

use jiff::Timestamp;
use jsonwebtoken::{Algorithm, DecodingKey, EncodingKey, Header, Validation};
use secrecy::ExposeSecret;
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use crate::{config::Auth, ids::DeviceId, storage::User};

/// What a token says.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(super) struct Claims {
    pub(super) user_id: String,
    email: String,
    is_admin: bool,
    /// Second since 1970 from which the token is void.
    pub(super) exp: i64,
    iat: i64,
    /// The device; tokens from before there were devices have none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) sid: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    jti: Option<String>,
}

/// Why a token does not count.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum TokenError {
    /// Not signed by us, signed otherwise, or not readable.
    Invalid,
    /// Was good once.
    Expired,
    /// It could not be made.
    Unsigned(String),
}

/// Makes and reads tokens.
pub(super) struct Tokens {
    signing: EncodingKey,
    checking: DecodingKey,
    validation: Validation,
}

impl std::fmt::Debug for Tokens {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Tokens").finish_non_exhaustive()
    }
}

impl Tokens {
    /// Signs with the secret of the settings, or with a random one that dies with the process.
    pub(super) fn new(auth: &Auth) -> Self {
        let mut secret = auth.secret.expose_secret().as_bytes().to_vec();
        if secret.is_empty() {
            secret = [Uuid::new_v4(), Uuid::new_v4(), Uuid::new_v4()].map(Uuid::into_bytes).concat();
        }
        let mut validation = Validation::new(Algorithm::HS256);
        // The library would ask the machine's clock.
        validation.validate_exp = false;
        validation.validate_nbf = false;
        validation.validate_aud = false;
        validation.required_spec_claims.clear();
        Self {
            signing: EncodingKey::from_secret(&secret),
            checking: DecodingKey::from_secret(&secret),
            validation,
        }
    }

    /// Makes a token for this user and device that is good from `now` on, for a while.
    pub(super) fn issue(
        &self,
        user: &User,
        device: DeviceId,
        (now, life): (Timestamp, Duration),
    ) -> Result<String, TokenError> {
        let life = i64::try_from(life.as_secs()).unwrap_or(i64::MAX);
        let claims = Claims {
            user_id: user.id.to_string(),
            email: user.email.clone(),
            is_admin: user.is_admin,
            exp: now.as_second().saturating_add(life),
            iat: now.as_second(),
            sid: Some(device.to_string()),
            jti: Some(Uuid::new_v4().simple().to_string()),
        };
        let token = jsonwebtoken::encode(&Header::new(Algorithm::HS256), &claims, &self.signing);
        token.map_err(|error| TokenError::Unsigned(error.to_string()))
    }

    /// Returns what a token says, if it is ours and has not expired at `now`.
    pub(super) fn read(&self, token: &str, now: Timestamp) -> Result<Claims, TokenError> {
        let token = jsonwebtoken::decode::<Claims>(token, &self.checking, &self.validation);
        let claims = token.map_err(|_| TokenError::Invalid)?.claims;
        if now.as_second() >= claims.exp {
            return Err(TokenError::Expired);
        }
        Ok(claims)
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::ids::UserId;

    const SECRET: &str = "0123456789-0123456789-0123456789";

    fn tokens() -> Tokens {
        Tokens::new(&Auth { secret: SECRET.into(), ..Auth::default() })
    }

    fn at(second: i64) -> Timestamp {
        Timestamp::from_second(second).unwrap()
    }

    fn user() -> User {
        User {
            id: UserId(Uuid::nil()),
            email: "ana@example.org".to_owned(),
            display_name: String::new(),
            language: "en".to_owned(),
            is_admin: false,
            created_at: at(0),
        }
    }

    fn signed(algorithm: Algorithm, claims: &serde_json::Value) -> String {
        let key = EncodingKey::from_secret(SECRET.as_bytes());
        jsonwebtoken::encode(&Header::new(algorithm), claims, &key).unwrap()
    }

    #[test]
    fn a_token_lives_seven_days_to_the_second() {
        let life = Auth::default().token_life;
        let token = tokens().issue(&user(), DeviceId::random(), (at(1000), life)).unwrap();

        assert_eq!(tokens().read(&token, at(1000 + 604_799)).unwrap().email, "ana@example.org");
        assert_eq!(tokens().read(&token, at(1000 + 604_800)).unwrap_err(), TokenError::Expired);
    }

    #[test]
    fn a_token_of_another_secret_or_algorithm_or_without_an_end_is_refused() {
        let claims =
            json!({"user_id": "x", "email": "e", "is_admin": true, "exp": 9_999_999_999_i64, "iat": 0});
        let endless = json!({"user_id": "x", "email": "e", "is_admin": true, "iat": 0});
        let other = Tokens::new(&Auth::default())
            .issue(&user(), DeviceId::random(), (at(0), Duration::from_secs(9)))
            .unwrap();
        let unsigned = "eyJhbGciOiJub25lIn0.eyJ1c2VyX2lkIjoieCJ9.";
        assert!(tokens().read(&signed(Algorithm::HS256, &claims), at(0)).is_ok());

        let refused = [
            signed(Algorithm::HS512, &claims),
            signed(Algorithm::HS256, &endless),
            other,
            unsigned.to_owned(),
        ];

        for token in refused {
            assert_eq!(tokens().read(&token, at(0)).unwrap_err(), TokenError::Invalid, "{token}");
        }
    }
}
