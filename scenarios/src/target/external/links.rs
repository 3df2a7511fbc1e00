//! Lines of a back end that are led through gauntlet.

use std::net::SocketAddr;

use serde::Deserialize;

use super::any_port;
use crate::line::{End, Lines, Link, Means};

/// The lines of a target file.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Links {
    /// That to its database: `{database}` in `[start]` becomes the address to use.
    pub database: Option<Via>,
    /// That to its Redis: `{redis}` in `[start]` becomes the address to use.
    pub redis: Option<Via>,
    /// That to the model, at this address; `{llm}` then leads through it.
    pub llm: Option<SocketAddr>,
}

/// A line by its ends.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Via {
    /// Where it leads: `host:port`, or the path of a socket.
    pub to: String,
    /// Where the back end finds it; any free port if not given.
    #[serde(default = "any_port")]
    pub at: SocketAddr,
}

/// Where a back end finds what its lines lead to.
#[derive(Clone, Debug, Default)]
pub(crate) struct Ends {
    /// The URL of the model.
    pub(crate) llm: String,
    /// The address of the database, or the path of its socket, if it has a line.
    pub(crate) database: Option<String>,
    /// The same of its Redis.
    pub(crate) redis: Option<String>,
}

impl Links {
    /// Says what is wrong with them, in words that say what to write.
    pub(super) fn check(&self, is_started: bool) -> Result<(), String> {
        for (name, via) in [("database", &self.database), ("redis", &self.redis)] {
            if let Some(via) = via {
                End::parse(&via.to).map_err(|error| format!("`links.{name}.to`: {error}"))?;
            }
        }
        if self.llm.is_some() && !is_started {
            return Err("`links.llm` needs `[start]`, which tells the back end where the model is".to_owned());
        }
        Ok(())
    }

    /// Returns where they lead, for a back end that finds all without gauntlet in between. `llm` is the URL of the model.
    pub(crate) fn straight(&self, llm: &str) -> Ends {
        let to = |via: &Option<Via>| via.as_ref().map(|via| via.to.clone());
        Ends { llm: llm.to_owned(), database: to(&self.database), redis: to(&self.redis) }
    }

    /// Begins them. `llm` is the URL of the mock.
    pub(crate) async fn begin(&self, llm: &str, means: Means) -> Result<(Lines, Ends), String> {
        let mut lines = Lines::default();
        let mut ends = Ends { llm: llm.to_owned(), ..Ends::default() };
        let vias = [
            (&self.database, Link::Database, &mut ends.database),
            (&self.redis, Link::Redis, &mut ends.redis),
        ];
        for (via, link, end) in vias {
            if let Some(via) = via {
                let line = (via.at, End::parse(&via.to)?);
                *end = Some(lines.carry(link, line, means.clone()).await?.to_string());
            }
        }
        if let Some(at) = self.llm {
            let line = (at, End::parse(llm.trim_start_matches("http://"))?);
            ends.llm = format!("http://{}", lines.carry(Link::Llm, line, means).await?);
        }
        Ok((lines, ends))
    }
}
