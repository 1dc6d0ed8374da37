//! One command a line, for anything that runs lines: GNU parallel, indexed jobs of
//! Kubernetes, arrays of AWS Batch.

use crate::sweep::plan::Plan;
use crate::sweep::shell;

/// The tasks of a plan, one a line, the longest first. The collector is not among them.
pub fn commands(plan: &Plan) -> String {
    let lines = plan.tasks.iter().map(|task| shell::join(&task.command));
    lines.map(|line| line + "\n").collect()
}
