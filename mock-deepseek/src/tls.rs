//! TLS for the mock: a certificate of its own, or one that is given.
//!
//! Invariant: what cannot be used is refused before a port is opened, with the name of what is wrong.

use std::{sync::Arc, time::Duration};

use rcgen::{CertificateParams, KeyPair};
use tokio_rustls::{
    TlsAcceptor,
    rustls::{
        ServerConfig,
        crypto::aws_lc_rs,
        pki_types::{CertificateDer, PrivateKeyDer, PrivatePkcs8KeyDer, pem::PemObject},
    },
};

use crate::{catalogue::Carrier, fault::Fault};

/// A client that has not shaken hands by then is let go.
pub(crate) const HANDSHAKE_MAX: Duration = Duration::from_secs(30);

/// The names that a certificate of the mock's own is good for.
const NAMES: [&str; 3] = ["localhost", "127.0.0.1", "::1"];

/// A certificate and its key.
///
/// Clients are offered HTTP/2 and HTTP/1.1, in that order.
///
/// ```
/// let tls = mock_deepseek::Tls::own()?;
/// assert!(tls.certificate().starts_with("-----BEGIN CERTIFICATE-----"));
/// # Ok::<(), mock_deepseek::TlsError>(())
/// ```
#[derive(Clone)]
pub struct Tls {
    certificate: String,
    config: Arc<ServerConfig>,
}

/// TLS cannot be offered.
#[derive(Debug, thiserror::Error)]
pub enum TlsError {
    /// No certificate in the text.
    #[error(
        "certificate cannot be read: {0}; it must be PEM and begin with `-----BEGIN CERTIFICATE-----`, \
         the server's own certificate first"
    )]
    Certificate(String),
    /// No private key in the text.
    #[error("private key cannot be read: {0}; it must be PEM, unencrypted PKCS #8, PKCS #1 or SEC 1")]
    Key(String),
    /// The two do not belong together, or are of no use.
    #[error("certificate and private key cannot be used together: {0}")]
    Pair(#[from] tokio_rustls::rustls::Error),
    /// A certificate of our own cannot be made.
    #[error("certificate cannot be made: {0}")]
    Made(#[from] rcgen::Error),
}

impl Tls {
    /// Makes a certificate for `localhost`, `127.0.0.1` and `::1`, signed by itself and new each time.
    pub fn own() -> Result<Self, TlsError> {
        let key = KeyPair::generate()?;
        let made = CertificateParams::new(NAMES.map(ToOwned::to_owned))?.self_signed(&key)?;
        let private = PrivatePkcs8KeyDer::from(key.serialize_der());
        Self::new(made.pem(), vec![made.der().clone()], private.into())
    }

    /// Takes a certificate chain and its key, both as PEM.
    pub fn from_pem(certificate: &str, key: &str) -> Result<Self, TlsError> {
        let chain = CertificateDer::pem_slice_iter(certificate.as_bytes())
            .collect::<Result<Vec<_>, _>>()
            .map_err(|error| TlsError::Certificate(error.to_string()))?;
        if chain.is_empty() {
            return Err(TlsError::Certificate("there is none in it".to_owned()));
        }
        let private = PrivateKeyDer::from_pem_slice(key.as_bytes())
            .map_err(|error| TlsError::Key(error.to_string()))?;
        Self::new(certificate.to_owned(), chain, private)
    }

    /// Returns the certificate as PEM, for clients to trust.
    pub fn certificate(&self) -> &str {
        &self.certificate
    }

    pub(crate) fn acceptor(&self) -> TlsAcceptor {
        Arc::clone(&self.config).into()
    }

    fn new(
        certificate: String,
        chain: Vec<CertificateDer<'static>>,
        key: PrivateKeyDer<'static>,
    ) -> Result<Self, TlsError> {
        let provider = Arc::new(aws_lc_rs::default_provider());
        let mut config = ServerConfig::builder_with_provider(provider)
            .with_safe_default_protocol_versions()?
            .with_no_client_auth()
            .with_single_cert(chain, key)?;
        config.alpn_protocols = vec![b"h2".to_vec(), b"http/1.1".to_vec()];
        Ok(Self { certificate, config: Arc::new(config) })
    }
}

impl std::fmt::Debug for Tls {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Tls(key hidden)")
    }
}

/// Returns the first of these faults that could never happen without TLS: whoever asked for it would wait for it.
pub(crate) fn needed_by(faults: &[Fault]) -> Option<&'static str> {
    faults.iter().find(|fault| fault.info().carrier == Carrier::Tls).map(Fault::id)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_no_certificate_is_refused_with_what_it_should_be_m15() {
        let error = Tls::from_pem("nonsense", "nonsense").unwrap_err().to_string();

        assert!(
            error.starts_with("certificate cannot be read: there is none in it; it must be PEM"),
            "{error}"
        );
    }

    #[test]
    fn a_key_of_another_certificate_is_refused_m15() {
        let (one, other) = (Tls::own().unwrap(), KeyPair::generate().unwrap().serialize_pem());

        let error = Tls::from_pem(one.certificate(), &other).unwrap_err().to_string();

        assert!(error.starts_with("certificate and private key cannot be used together: "), "{error}");
    }

    #[test]
    fn a_missing_key_is_named_m15() {
        let certificate = Tls::own().unwrap().certificate;

        let error = Tls::from_pem(&certificate, &certificate).unwrap_err().to_string();

        assert!(error.starts_with("private key cannot be read: "), "{error}");
    }
}
