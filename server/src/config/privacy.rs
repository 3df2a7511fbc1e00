//! Section `[privacy]`: what is asked before personal data goes anywhere (F114).

use serde::{Deserialize, Serialize};

/// Rules about personal data.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Privacy {
    /// Whether users must agree before what they write goes to the provider of the model. Clients of v0 cannot ask them; on
    /// in the profile `production`.
    pub ask_consent: bool,
}
