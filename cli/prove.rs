//! `gauntlet prove`: run each scenario on the sound target and on its sabotaged twins.

use crate::{
    exit_code::ExitCode,
    failure::Failure,
    run::{Aim, Arguments, execute},
};

pub(crate) fn run(arguments: &Arguments) -> Result<ExitCode, Failure> {
    execute(arguments, Aim::Prove)
}
