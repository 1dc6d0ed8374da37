//! A Slurm job array whose tasks take whatever trial is free, and a job that collects.

use crate::sweep::error::SweepError;
use crate::sweep::files;
use crate::sweep::plan::{Plan, mebibytes, minutes};
use crate::sweep::shell;
use std::path::{Path, PathBuf};

/// The two scripts of a sweep.
#[derive(Clone, Debug)]
pub struct SlurmScripts {
    /// The job array.
    pub tasks: PathBuf,
    /// Collects the results; it depends on the array.
    pub collect: PathBuf,
    /// Number of tasks in the array.
    pub count: usize,
}

/// How often a task that ran out of memory asks for twice as much.
const DOUBLINGS: u32 = 3;

/// Options about the resources of tasks, which the collector does not share.
const RESOURCES: [&str; 10] = [
    "--mem", "--time", "-t", "--cpus", "-c", "--array", "--gres", "--gpus", "-G", "--signal",
];

/// Memory of the collector, in MiB: `xz -9e` takes 700, PPMd 256.
const COLLECTOR: u64 = 2048;

/// Writes `sweep.sbatch` and `collect.sbatch` into the plan's folder. The array has a
/// task for each task of the plan, `most` at most. `extra` are options of `sbatch`, such
/// as `--partition=short`, which override those of the plan; the collector takes those that
/// are not about resources.
///
/// # Errors
/// A folder that is not writable; an option that is none.
pub fn write_slurm_scripts(
    plan: &Plan,
    most: usize,
    extra: &[String],
) -> Result<SlurmScripts, SweepError> {
    for option in extra {
        if !option.starts_with('-') || option.chars().any(char::is_control) {
            let message = format!("`{option}` is no option of sbatch, such as --partition=short");
            return Err(SweepError::Usage(message));
        }
    }
    let root = Path::new(&plan.folder);
    files::create_folder(&root.join("logs"))?;
    let count = match plan.any {
        Some(_) => plan.tasks.len().clamp(1, most),
        // Each task has trials of its own.
        None => plan.tasks.len(),
    };
    let need = plan.largest(count);
    let lines = |keep: &dyn Fn(&String) -> bool| -> String {
        let kept = extra.iter().filter(|option| keep(option));
        kept.map(|option| format!("#SBATCH {option}\n")).collect()
    };
    let of_tasks = lines(&|_| true);
    let of_collector = lines(&|option| !RESOURCES.iter().any(|name| option.starts_with(name)));
    let head = |name: &str, log: &str| {
        format!(
            "#SBATCH --job-name={}\n\
             #SBATCH --chdir={}\n\
             #SBATCH --output={}\n\
             #SBATCH --open-mode=append\n\
             #SBATCH --requeue\n",
            shell::sbatch(name),
            shell::sbatch(&plan.folder),
            shell::sbatch(&format!(
                "{}/logs/{log}",
                shell::literal_percent(&plan.folder)
            )),
        )
    };
    let run = run(plan, count);
    let tasks = format!(
        "#!/bin/bash\n\
         # {trials} trials of `{name}` in {count} tasks. Nothing is lost by a task that dies.\n\
         {head}\
         #SBATCH --array=1-{count}\n\
         #SBATCH --cpus-per-task={cpus}\n\
         #SBATCH --mem={memory}M\n\
         #SBATCH --time={minutes}\n\
         # A minute to write a checkpoint before the time is up.\n\
         #SBATCH --signal=INT@60\n\
         {of_tasks}\
         \n\
         me=${{SLURM_ARRAY_JOB_ID}}_$SLURM_ARRAY_TASK_ID\n\
         cpus=${{SLURM_CPUS_PER_TASK:-1}}\n\
         echo \"task $me on $(hostname), start $((${{SLURM_RESTART_COUNT:-0}} + 1))\"\n\
         {run}\
         status=$?\n\
         case $status in\n\
         75) exit 0 ;; # Others work on what is left.\n\
         130) # Stopped with a checkpoint: the time is up. The task queues itself again.\n\
         \x20   trap '' TERM\n\
         \x20   scontrol requeue \"$me\" && exit 0 ;;\n\
         137) # Killed for its memory: again with twice as much.\n\
         \x20   trap '' TERM\n\
         \x20   memory=${{SLURM_MEM_PER_NODE:-0}}\n\
         \x20   if [ \"$memory\" -gt 0 ] && [ \"${{SLURM_RESTART_COUNT:-0}}\" -lt {DOUBLINGS} ] &&\n\
         \x20       scontrol requeue \"$me\"; then\n\
         \x20       for _ in 1 2 3 4 5; do\n\
         \x20           scontrol update JobId=\"$me\" MinMemoryNode=$((2 * memory)) && break\n\
         \x20           sleep 1\n\
         \x20       done\n\
         \x20       exit 0\n\
         \x20   fi ;;\n\
         esac\n\
         exit \"$status\"\n",
        trials = plan.trials.len(),
        name = plan.name,
        head = head(&format!("brevity-{}", plan.name), "slurm-%A_%a.log"),
        cpus = need.cpus,
        memory = mebibytes(need.memory),
        minutes = minutes(need.seconds),
    );
    let collect = format!(
        "#!/bin/bash\n\
         # Collects the results of `{name}` and writes the report.\n\
         {head}\
         #SBATCH --mem={COLLECTOR}M\n\
         {of_collector}\
         \n\
         srun {command}\n",
        name = plan.name,
        head = head(&format!("brevity-{}-collect", plan.name), "collect-%j.log"),
        command = shell::join(&plan.collect),
    );
    let scripts = SlurmScripts {
        tasks: root.join("sweep.sbatch"),
        collect: root.join("collect.sbatch"),
        count,
    };
    files::write(&scripts.tasks, tasks.as_bytes())?;
    files::write(&scripts.collect, collect.as_bytes())?;
    Ok(scripts)
}

/// What a task of the array runs: whatever trial is free, the longest first, until none is
/// left; in a round of an adaptive plan, its own trials.
fn run(plan: &Plan, count: usize) -> String {
    if let Some(any) = &plan.any {
        return format!(
            "srun --cpus-per-task=\"$cpus\" {} \\\n\
             \x20   --threads \"$cpus\" --shard \"$SLURM_ARRAY_TASK_ID/{count}\"\n",
            shell::join(any)
        );
    }
    let mut cases = String::from("case $SLURM_ARRAY_TASK_ID in\n");
    for (place, task) in plan.tasks.iter().enumerate() {
        let command = shell::join(&task.command);
        cases += &format!("{}) set -- {command} ;;\n", place + 1);
    }
    cases + "esac\nsrun --cpus-per-task=\"$cpus\" \"$@\"\n"
}
