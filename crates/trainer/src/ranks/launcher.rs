//! Whether a launcher of MPI has started this process.

/// The variables that launchers set: which rank a process is, and how many there are.
///
/// Slurm's own, SLURM_PROCID, is not among them: a batch script has it without a launcher, and
/// so have the processes of `srun --mpi=none`.
const VARIABLES: [(&str, &str); 3] = [
    // Open MPI's mpirun.
    ("OMPI_COMM_WORLD_RANK", "OMPI_COMM_WORLD_SIZE"),
    // MPICH's and Intel's mpirun, and `srun --mpi=pmi2`.
    ("PMI_RANK", "PMI_SIZE"),
    // `srun --mpi=pmix`, which says the number of its own.
    ("PMIX_RANK", "SLURM_STEP_NUM_TASKS"),
];

/// What a launcher says of this process, as far as it does.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Launcher {
    pub(super) rank: Option<usize>,
    pub(super) count: Option<usize>,
}

impl Launcher {
    /// The launcher of several processes that the environment tells of.
    pub(super) fn found(variable: impl Fn(&str) -> Option<String>) -> Option<Self> {
        let number = |name| variable(name)?.trim().parse().ok();
        // The first counts: the launchers below it may have started the one that is above.
        let (rank, count) = VARIABLES.iter().find(|(rank, _)| variable(rank).is_some())?;
        let launcher = Self { rank: number(rank), count: number(count) };
        (launcher.count != Some(1)).then_some(launcher)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn launchers_of_several_processes() {
        let found = |set: &[(&str, &str)]| {
            Launcher::found(|name| {
                set.iter().find(|(set, _)| *set == name).map(|(_, value)| (*value).to_owned())
            })
        };
        let of = |rank, count| Some(Launcher { rank: Some(rank), count });
        assert_eq!(found(&[]), None);
        let ompi = [("OMPI_COMM_WORLD_RANK", "2"), ("OMPI_COMM_WORLD_SIZE", "4")];
        assert_eq!(found(&ompi), of(2, Some(4)));
        assert_eq!(found(&[("PMI_RANK", "0"), ("PMI_SIZE", "2")]), of(0, Some(2)));
        assert_eq!(found(&[("PMIX_RANK", "1")]), of(1, None));
        // One process needs no MPI, and a batch script is no rank.
        let one = [("OMPI_COMM_WORLD_RANK", "0"), ("OMPI_COMM_WORLD_SIZE", "1")];
        assert_eq!(found(&one), None);
        // As a mpirun sets them that a job of Slurm has started.
        assert_eq!(found(&[one[0], one[1], ("PMI_RANK", "3"), ("PMIX_RANK", "0")]), None);
        assert_eq!(found(&[("SLURM_PROCID", "0"), ("SLURM_STEP_NUM_TASKS", "8")]), None);
    }
}
