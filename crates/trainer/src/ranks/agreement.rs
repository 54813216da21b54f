//! What ranks have to agree on, and what rank 0 says where they do not.

use serde::{Deserialize, Serialize};

/// What decides the bits of a run on one rank, in the order in which differences are reported.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Facts(Vec<Fact>);

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
struct Fact {
    /// What every rank needs the same of.
    kind: String,
    name: String,
    value: String,
}

impl Facts {
    pub(crate) fn add(&mut self, kind: &str, name: &str, value: impl ToString) {
        let (kind, name, value) = (kind.to_owned(), name.to_owned(), value.to_string());
        self.0.push(Fact { kind, name, value });
    }

    /// Whether a rank has nothing to agree on: it has printed help or the version, and ends.
    fn has_ended(&self) -> bool {
        self.0.is_empty()
    }

    /// The first fact of either that the other does not have, with their two values.
    fn difference<'a>(&'a self, other: &'a Self) -> Option<(&'a Fact, &'a str, &'a str)> {
        const NONE: &str = "none";
        let value = |facts: &'a Self, name: &str| {
            let found = facts.0.iter().find(|fact| fact.name == name);
            found.map_or(NONE, |fact| fact.value.as_str())
        };
        self.0.iter().chain(&other.0).find_map(|fact| {
            let (own, others) = (value(self, &fact.name), value(other, &fact.name));
            (own != others).then_some((fact, own, others))
        })
    }
}

/// Where a rank runs.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Seat {
    pub(super) host: String,
    /// The cores that it may use, as the system writes them.
    pub(super) cores: String,
    /// The number of these, or a share of their time.
    pub(super) parallelism: usize,
    pub(super) threads: usize,
}

impl Seat {
    /// That of this process, which has no host.
    pub(super) fn here() -> Self {
        let parallelism = std::thread::available_parallelism().map_or(1, usize::from);
        Self { parallelism, ..Self::default() }
    }

    pub(super) fn has_cores_of(&self, other: &Self) -> bool {
        (&self.host, &self.cores) == (&other.host, &other.cores)
    }
}

/// What a rank tells the others.
#[derive(Debug, Serialize, Deserialize)]
pub(super) struct Statement {
    /// The exit code and the line of what has ended it.
    pub(super) failure: Option<(u8, String)>,
    pub(super) facts: Facts,
    pub(super) seat: Seat,
}

impl Statement {
    pub(super) fn to_bytes(&self) -> Vec<u8> {
        serde_json::to_vec(self).expect("plain data")
    }

    /// What another program says is a failure.
    pub(super) fn from_bytes(bytes: &[u8]) -> Self {
        serde_json::from_slice(bytes).unwrap_or_else(|_| Self {
            failure: Some((1, "it is another version of this program".to_owned())),
            facts: Facts::default(),
            seat: Seat::default(),
        })
    }
}

/// Why the ranks do not go on.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Verdict {
    pub(super) message: String,
    /// The exit code of all ranks.
    pub(super) code: u8,
}

/// The first reason not to go on; `None` where there is none. All ranks find the same.
pub(super) fn compare(statements: &[Statement]) -> Option<Verdict> {
    let first = statements.first()?;
    if let Some((code, message)) = &first.failure {
        return Some(Verdict { message: message.clone(), code: *code });
    }
    let of = |rank: usize, other: &Statement, what: String| {
        let host = &other.seat.host;
        Verdict { message: format!("rank {rank} on {host}: {what}"), code: 1 }
    };
    let others = || statements.iter().enumerate().skip(1);
    let failed = others().find_map(|(rank, other)| {
        other.failure.as_ref().map(|(_, message)| of(rank, other, message.clone()))
    });
    // Their lack of facts is no difference of versions.
    let ended = || {
        let differs = |facts: &Facts| facts.has_ended() != first.facts.has_ended();
        let (rank, other) = others().find(|(_, other)| differs(&other.facts))?;
        let (ended, works) =
            if other.facts.has_ended() { ("it", "rank 0") } else { ("rank 0", "it") };
        let what = format!(
            "{ended} only prints help or the version, and {works} does not; every rank needs the \
             same command"
        );
        Some(of(rank, other, what))
    };
    failed.or_else(ended).or_else(|| {
        others().find_map(|(rank, other)| {
            let (Fact { kind, name, .. }, was, found) = first.facts.difference(&other.facts)?;
            let what = format!(
                "{name} is {found}, and on rank 0 it is {was}; every rank needs the same {kind}"
            );
            Some(of(rank, other, what))
        })
    })
}

/// What to say where ranks have more threads than cores: the first host of them.
pub(super) fn crowded(statements: &[Statement]) -> Option<String> {
    let seats = || statements.iter().map(|statement| &statement.seat);
    seats().find_map(|seat| {
        let same = || seats().filter(|other| other.has_cores_of(seat));
        let (ranks, threads) = (same().count(), same().map(|seat| seat.threads).sum::<usize>());
        let Seat { host, parallelism: cores, .. } = seat;
        (threads > *cores).then(|| {
            let advice = match (ranks, cores / ranks) {
                (1, each) => format!("write --threads {each}, or give mpirun --bind-to none"),
                (_, 0) => format!("start at most {cores} there"),
                (_, each) => format!("write --threads {each}"),
            };
            let (word, have) = if ranks == 1 { ("rank", "has") } else { ("ranks", "have") };
            format!(
                "{ranks} {word} on {host} {have} {threads} threads in all for {cores} of its cores, \
                 and threads that wait keep their core busy: {advice}"
            )
        })
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn statement(host: &str, facts: &[(&str, &str, &str)]) -> Statement {
        let mut all = Facts::default();
        facts.iter().for_each(|(kind, name, value)| all.add(kind, name, value));
        let (host, cores) = (host.to_owned(), "0-3".to_owned());
        let seat = Seat { host, cores, parallelism: 4, threads: 2 };
        Statement { failure: None, facts: all, seat }
    }

    fn message(statements: &[Statement]) -> Option<(String, u8)> {
        compare(statements).map(|verdict| (verdict.message, verdict.code))
    }

    #[test]
    fn the_first_rank_that_differs_is_named() {
        let (data, rate) = (("data", "the checksum", "1f"), ("settings", "training.lr", "0.1"));
        let all = || statement("one", &[data, rate]);
        assert_eq!(message(&[all(), all(), all()]), None);
        let other = || statement("two", &[data, ("settings", "training.lr", "0.2")]);
        let expected = "rank 1 on two: training.lr is 0.2, and on rank 0 it is 0.1; every rank \
                        needs the same settings";
        assert_eq!(message(&[all(), other(), other()]), Some((expected.to_owned(), 1)));
        // A setting that one of them does not have, on either side.
        let none = || statement("two", &[data]);
        let found = message(&[all(), none()]).unwrap().0;
        assert!(found.contains("training.lr is none, and on rank 0 it is 0.1"), "{found}");
        let found = message(&[none(), all()]).unwrap().0;
        assert!(found.contains("rank 1 on one: training.lr is 0.1, and on rank 0"), "{found}");
    }

    #[test]
    fn a_rank_that_runs_another_command_is_named() {
        let version = ("program", "the version", "1.0");
        let (works, ended) = (|host| statement(host, &[version]), |host| statement(host, &[]));
        assert_eq!(message(&[ended("one"), ended("two")]), None);
        let (found, code) = message(&[works("one"), works("two"), ended("three")]).unwrap();
        let expected = "rank 2 on three: it only prints help or the version, and rank 0 does not";
        assert!(found.starts_with(expected) && code == 1, "{found}");
        let found = message(&[ended("one"), works("two")]).unwrap().0;
        let expected = "rank 1 on two: rank 0 only prints help or the version, and it does not";
        assert!(found.starts_with(expected), "{found}");
    }

    #[test]
    fn failures_come_before_differences() {
        let all = |host| statement(host, &[]);
        let failed = |host, code| Statement {
            failure: Some((code, "no such file".to_owned())),
            ..statement(host, &[])
        };
        let differs = statement("three", &[("data", "the checksum", "2e")]);
        let found = message(&[all("one"), differs, failed("two", 2)]);
        assert_eq!(found, Some(("rank 2 on two: no such file".to_owned(), 1)));
        // That of rank 0 is its own line, and its exit code is that of all.
        let found = message(&[failed("one", 2), failed("two", 1)]);
        assert_eq!(found, Some(("no such file".to_owned(), 2)));
    }

    #[test]
    fn a_statement_comes_back_from_its_bytes() {
        let own = statement("one", &[("data", "the checksum", "1f")]);
        let found = Statement::from_bytes(&own.to_bytes());
        assert_eq!((&found.facts, &found.seat), (&own.facts, &own.seat));
        assert!(Statement::from_bytes(b"{}").failure.is_some());
    }

    #[test]
    fn more_threads_than_cores_are_noted() {
        let ranks = |host, count, threads| {
            let one = move |_| {
                let mut one = statement(host, &[]);
                one.seat.threads = threads;
                one
            };
            (0..count).map(one).collect::<Vec<_>>()
        };
        assert_eq!(crowded(&ranks("one", 2, 2)), None);
        let two: Vec<_> = ranks("one", 2, 2).into_iter().chain(ranks("two", 4, 2)).collect();
        let note = crowded(&two).unwrap();
        let expected = "4 ranks on two have 8 threads in all for 4 of its cores";
        assert!(note.starts_with(expected) && note.ends_with("write --threads 1"), "{note}");
        let note = crowded(&ranks("one", 5, 1)).unwrap();
        assert!(note.ends_with("start at most 4 there"), "{note}");
        // Ranks that are bound to cores of their own do not share them.
        let mut bound = ranks("one", 2, 4);
        bound[1].seat.cores = "4-7".to_owned();
        assert_eq!(crowded(&bound), None);
        let mut bound = ranks("one", 1, 2);
        (bound[0].seat.cores, bound[0].seat.parallelism) = ("3".to_owned(), 1);
        let note = crowded(&bound).unwrap();
        assert!(note.starts_with("1 rank on one has 2 threads"), "{note}");
        assert!(note.ends_with("write --threads 1, or give mpirun --bind-to none"), "{note}");
    }
}
