//! These tests start this program again, under mpirun.

use std::process::{Command, Output};

use nn::Ranks as _;

use super::*;
use crate::ranks::Ranks;

/// Which of the parts below a rank does.
const PART: &str = "TRAINER_TEST_PART";

/// Runs a part on `ranks` ranks.
fn run(ranks: usize, part: &str) -> Output {
    let mut command = Command::new("mpirun");
    command.args(["--allow-run-as-root", "--oversubscribe", "--bind-to", "none"]);
    command.args(["--timeout", "300", "--mca", "mpi_yield_when_idle", "1"]);
    command.args(["-n", &ranks.to_string()]).arg(env::current_exe().unwrap());
    command.args(["--exact", "ranks::mpi::tests::on_a_rank", "--ignored", "--nocapture"]);
    let output = command.env(PART, part).env(PIECE, "10").output();
    output.unwrap_or_else(|error| {
        panic!("cannot start mpirun: {error}; install Open MPI: scripts/mpi.sh")
    })
}

#[test]
#[ignore = "the other tests start it"]
fn on_a_rank() {
    let Ok(part) = env::var(PART) else { return };
    let launcher = Launcher::found(|name| env::var(name).ok()).expect("started by mpirun");
    match &*part {
        "pieces" => {
            let world = World::start(&launcher).unwrap();
            pieces(&world);
            texts(&world);
            letters(&world);
            world.leave();
        }
        "panic" => {
            let ranks: &'static Ranks = Box::leak(Box::new(Ranks::start().unwrap()));
            let _guard = ranks.guard();
            ranks.join();
            assert!(ranks.is_first(), "a fault");
            // It waits for an order that never comes, or that of a rank that is gone.
            let _ = ranks.leave_after_step(false);
            ranks.team().all_gather(&mut [0.0, 1.0], &[1, 2]);
        }
        _ => panic!("no part {part}"),
    }
}

/// The bits of an element: they tell where it is, and some are no number.
fn bits(index: usize) -> u32 {
    let exponent = if index.is_multiple_of(3) { 0x7f80_0000 } else { 0 };
    (index as u32).wrapping_mul(0x9e37_79b9) | exponent
}

/// Pieces of all lengths, also none; ten elements and fewer are moved at once, more in parts.
fn pieces(world: &World) {
    let (rank, count) = (world.rank(), world.count());
    assert!(count > 1);
    let even = |each: usize| (1..=count).map(|r| r * each).collect::<Vec<_>>();
    let rising = |step: usize| (1..=count).map(|r| step * r * (r - 1) / 2).collect::<Vec<_>>();
    let alone = |owner: usize, all: usize| {
        (0..count).map(|r| if r < owner { 0 } else { all }).collect::<Vec<_>>()
    };
    for ends in [
        even(0),
        even(1),
        even(7),
        even(10),
        even(11),
        even(100),
        rising(1),
        rising(9),
        rising(25),
        alone(0, 9),
        alone(0, 10),
        alone(count - 1, 11),
        alone(count - 1, 95),
    ] {
        let all = *ends.last().unwrap();
        let start = rank.checked_sub(1).map_or(0, |before| ends[before]);
        let own = start..ends[rank];
        let element = |i| if own.contains(&i) { f32::from_bits(bits(i)) } else { -1.0 };
        let mut found: Vec<f32> = (0..all).map(element).collect();
        world.all_gather(&mut found, &ends);
        for (i, element) in found.iter().enumerate() {
            assert_eq!(element.to_bits(), bits(i), "element {i} on rank {rank}, ends {ends:?}");
        }
    }
}

/// Texts of all lengths.
fn texts(world: &World) {
    let text = |rank: usize| vec![rank as u8; 23 * rank];
    let found = world.gather(&text(world.rank()));
    assert_eq!(found, (0..world.count()).map(text).collect::<Vec<_>>());
    for length in [0, 1, 10, 11, 1000] {
        let expected: Vec<u8> = (0..length).map(|i| i as u8).collect();
        let mut found = if world.rank() == 0 { expected.clone() } else { vec![3; 5] };
        world.broadcast(&mut found);
        assert_eq!(found, expected);
    }
    let order = || if world.rank() == 0 { [7, 9] } else { [0, 0] };
    let (mut soon, mut late) = (order(), order());
    world.order(&mut soon);
    world.order_of_the_patient(&mut late);
    assert_eq!((soon, late), ([7, 9], [7, 9]));
}

/// Messages of all lengths, which rank 0 gives back in the opposite order.
fn letters(world: &World) {
    let letter = |rank: usize, length: usize| (0..length).map(|i| (i * rank) as u8).collect();
    let lengths = [0usize, 1, 10, 11, 1000];
    if world.rank() == 0 {
        assert_eq!(world.others(), world.count() - 1);
        let mut seen = vec![0; world.count()];
        for _ in 0..lengths.len() * world.others() {
            let (from, mut bytes) = world.wait();
            let expected: Vec<u8> = letter(from, lengths[seen[from]]);
            assert_eq!(bytes, expected, "from {from}");
            seen[from] += 1;
            bytes.reverse();
            world.send(from, &bytes);
        }
        assert!(world.take().is_none());
    } else {
        for length in lengths {
            let mut bytes: Vec<u8> = letter(world.rank(), length);
            world.send(0, &bytes);
            bytes.reverse();
            assert_eq!(world.wait(), (0, bytes));
        }
    }
}

#[test]
fn bytes_come_as_they_are_in_pieces_of_any_length() {
    for ranks in [2, 3, 5] {
        let output = run(ranks, "pieces");
        assert!(output.status.success(), "{ranks} ranks: {output:?}");
        let text = String::from_utf8_lossy(&output.stdout);
        assert_eq!(text.matches("1 passed").count(), ranks, "{text}");
    }
}

#[test]
fn a_panic_of_one_rank_ends_all() {
    let output = run(3, "panic");
    assert!(!output.status.success(), "{output:?}");
    let text = String::from_utf8_lossy(&output.stderr);
    assert!(text.contains(": it has panicked"), "{text}");
}
