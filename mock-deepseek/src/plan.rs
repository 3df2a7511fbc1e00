//! The plan of one answer: what the model says, what goes wrong, how fast it goes.
//!
//! Invariant: faults act in the order of their layers (within one, of their names), whatever the order in which they were named,
//! so that composing them does not depend on spelling.

use std::sync::Arc;

use crate::{
    answer::{Answer, FAULTS_MAX, Form, Marks},
    catalogue::{Carrier, Mode},
    draft::Draft,
    exchange::Carried,
    fault::Fault,
    pace::Pacing,
    render::{self, Stamp},
};

/// A plan; the faults' positions in it are their marks.
#[derive(Clone, Debug)]
pub(crate) struct Plan {
    pub(crate) draft: Draft,
    pub(crate) faults: Arc<[Fault]>,
    pub(crate) pacing: Pacing,
    carried: Carried,
}

impl Plan {
    /// Makes a plan; faults beyond [`FAULTS_MAX`] are dropped.
    pub(crate) fn new(draft: Draft, faults: Arc<[Fault]>, pacing: Pacing) -> Self {
        let faults = if faults.len() > FAULTS_MAX { faults[..FAULTS_MAX].into() } else { faults };
        Self { draft, faults, pacing, carried: Carried::default() }
    }

    /// Says what carries the answer; plain HTTP/1.1 unless it is said.
    #[must_use]
    pub(crate) fn over(mut self, carried: Carried) -> Self {
        self.carried = carried;
        self
    }

    /// Renders the answer and lets the faults at it.
    pub(crate) fn answer(self, stamp: &Stamp) -> Answer {
        let Self { mut draft, faults, pacing, carried } = self;
        let faults = in_order(draft.form, &faults, carried);
        for (marks, fault) in &faults {
            fault.behaviour().shape(&mut draft, *marks);
        }
        let mut answer = render::answer(draft, stamp, &pacing);
        if !faults.is_empty() {
            answer.render_all();
        }
        for (marks, fault) in &faults {
            fault.behaviour().apply(&mut answer, *marks);
        }
        answer
    }
}

/// Lets the faults at an answer that no draft was made for: what the model says stays as it is.
pub(crate) fn spoil(answer: &mut Answer, faults: &[Fault], carried: Carried) {
    for (marks, fault) in in_order(answer.form, faults, carried) {
        fault.behaviour().apply(answer, marks);
    }
}

/// Returns the faults that fit the form of the reply and what carries it, by layer, then by name.
fn in_order(form: Form, faults: &[Fault], carried: Carried) -> Vec<(Marks, &Fault)> {
    let can_be_carried = |carrier: Carrier| match carrier {
        Carrier::Any => true,
        Carrier::Http1 => !carried.http2,
        Carrier::Http2 => carried.http2,
        Carrier::Tls => carried.tls,
    };
    let fits_form = |mode: Mode| match mode {
        Mode::Any => true,
        Mode::Stream => form == Form::Stream,
        Mode::Single => form == Form::Single,
    };
    let fits = |fault: &Fault| fits_form(fault.info().mode) && can_be_carried(fault.info().carrier);
    let marked = faults.iter().take(FAULTS_MAX).enumerate();
    let marked = marked.map(|(position, fault)| (Marks::of(position), fault));
    let mut faults: Vec<_> = marked.filter(|(_, fault)| fits(fault)).collect();
    faults.sort_by_key(|(_, fault)| (fault.info().layer, fault.id()));
    faults
}

#[cfg(test)]
mod tests {
    use crate::{Fault, catalogue, transcript};

    #[test]
    fn two_faults_write_the_same_in_whatever_order_they_are_named_m5() {
        // Each pair is compared, so what is long by itself is asked to be short.
        let short = |id| match id {
            "huge-line" => "huge-line;bytes=10",
            "repeat-loop" => "repeat-loop;tokens=10",
            "token-drip" => "token-drip;unit=event",
            id => id,
        };
        let ids: Vec<_> = catalogue().iter().map(|info| short(info.id)).collect();
        let faults = |names: [&str; 2]| names.map(|fault| Fault::parse(fault).unwrap());

        for (position, first) in ids.iter().enumerate() {
            for second in &ids[position..] {
                let (one, other) =
                    (transcript(&faults([first, second])), transcript(&faults([second, first])));
                assert!(one == other, "{first} and {second}");
            }
        }
    }
}
