//! Whether clients of the mock come under TLS, and with which certificate.

use std::path::PathBuf;

use clap::Args;
use mock_deepseek::Tls;

use super::read;
use crate::failure::Failure;

/// Whether clients come under TLS.
#[derive(Debug, Args)]
pub(super) struct Secrecy {
    /// Serve under TLS with a certificate made for localhost, which is printed for clients to trust
    #[arg(long)]
    tls: bool,
    /// Serve under TLS with this certificate chain (PEM)
    #[arg(long, value_name = "FILE", requires = "tls_key", conflicts_with = "tls")]
    tls_certificate: Option<PathBuf>,
    /// Private key of the certificate (PEM)
    #[arg(long, value_name = "FILE", requires = "tls_certificate")]
    tls_key: Option<PathBuf>,
}

impl Secrecy {
    /// Says whether the certificate is one that clients have to be told of.
    pub(super) fn is_own(&self) -> bool {
        self.tls
    }

    pub(super) fn tls(&self) -> Result<Option<Tls>, Failure> {
        let tls = match (&self.tls_certificate, &self.tls_key) {
            (Some(certificate), Some(key)) => {
                Tls::from_pem(&read("certificate", certificate)?, &read("key", key)?)
            }
            _ if self.tls => Tls::own(),
            _ => return Ok(None),
        };
        tls.map(Some).map_err(Failure::usage)
    }
}
