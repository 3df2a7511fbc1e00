//! Numbers and short lists: each has a range.

use super::Notice;
use crate::request::ChatRequest;

/// The most alternatives for a token.
pub(super) const TOP_LOGPROBS_MAX: u8 = 20;
/// The most texts that end a reply.
const STOPS_MAX: usize = 16;

pub(super) fn check(request: &ChatRequest, reply_max: i64) -> Result<(), Notice> {
    if request.n.is_some_and(|count| count != 1) {
        return Err(Notice::invalid("Invalid n value (currently only n = 1 is supported)"));
    }
    let within =
        |value: Option<f64>, low: f64, high: f64| value.is_none_or(|value| (low..=high).contains(&value));
    if !within(request.frequency_penalty, -2.0, 2.0) {
        return Err(out_of_range("frequency_penalty", "[-2, 2]"));
    }
    if !within(request.presence_penalty, -2.0, 2.0) {
        return Err(out_of_range("presence_penalty", "[-2, 2]"));
    }
    if request.max_tokens.is_some_and(|tokens| !(1..=reply_max).contains(&tokens)) {
        return Err(out_of_range("max_tokens", &format!("[1, {reply_max}]")));
    }
    if !within(request.temperature, 0.0, 2.0) {
        return Err(out_of_range("temperature", "[0, 2]"));
    }
    if !within(request.top_p, f64::MIN_POSITIVE, 1.0) {
        return Err(out_of_range("top_p", "(0, 1.0]"));
    }
    logprobs(request)?;
    if let Some(stop) = request.stop.as_ref().filter(|stop| stop.0.len() > STOPS_MAX) {
        return Err(Notice::invalid(&format!(
            "ChatCompletionStopSequences string array too long: {}",
            stop.0.len()
        )));
    }
    if request.stream_options.is_some() && !request.streams() {
        return Err(Notice::invalid("stream_options should be set along with stream = true"));
    }
    Ok(())
}

fn logprobs(request: &ChatRequest) -> Result<(), Notice> {
    match (request.logprobs, request.top_logprobs) {
        (Some(true), Some(count)) if count > TOP_LOGPROBS_MAX => {
            Err(out_of_range("top_logprobs", "[0, 20]."))
        }
        (None | Some(false), Some(_)) => Err(Notice::invalid(
            "Invalid top_logprobs and logprobs value, logprobs must be set to true if top_logprobs is used.",
        )),
        _ => Ok(()),
    }
}

pub(super) fn out_of_range(field: &str, range: &str) -> Notice {
    Notice::invalid(&format!("Invalid {field} value, the valid range of {field} is {range}"))
}
