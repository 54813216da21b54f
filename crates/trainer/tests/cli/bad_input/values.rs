//! Values of flags: of another type, out of range, and in other people's notation.

use super::{USAGE, check};

#[test]
fn whole_numbers() {
    let dir = tempfile::tempdir().unwrap();
    check(
        dir.path(),
        USAGE,
        &[
            (
                "negative",
                "--epochs -5",
                "--epochs is -5: expected a whole number from 1 to 1000000, such as 5",
            ),
            (
                "none",
                "--epochs 0",
                "--epochs is 0: expected a whole number from 1 to 1000000, such as 5",
            ),
            (
                "too large",
                "--epochs 1000001",
                "--epochs is 1000001: expected a whole number from 1 to 1000000, such as 5",
            ),
            (
                "a fraction",
                "--epochs 2.5",
                "--epochs is 2.5: expected a whole number from 1 to 1000000, such as 5",
            ),
            (
                "a word",
                "--epochs five",
                "--epochs is five: expected a whole number from 1 to 1000000, such as 5",
            ),
            (
                "empty",
                "--epochs ''",
                "--epochs is empty: expected a whole number from 1 to 1000000, such as 5",
            ),
            (
                "written as a real number",
                "--epochs 5.0",
                "--epochs is 5.0: expected a whole number from 1 to 1000000; write 5",
            ),
            (
                "with an exponent",
                "--epochs 1e3",
                "--epochs is 1e3: expected a whole number from 1 to 1000000; write 1000",
            ),
            (
                "in groups of digits",
                "--epochs 10,000",
                "--epochs is 10,000: expected a whole number from 1 to 1000000; write 10000",
            ),
            (
                "not a number",
                "--epochs nan",
                "--epochs is nan: expected a whole number from 1 to 1000000, such as 5",
            ),
            (
                "without a bound of its own",
                "--batch-size 0",
                "--batch-size is 0: expected a whole number from 1 to 2^63 - 1, such as 64",
            ),
            (
                "larger than a file can hold",
                "--seed 9223372036854775808",
                "--seed is 9223372036854775808: expected a whole number from 0 to 2^63 - 1, such as 7",
            ),
            (
                "a negative seed",
                "--seed -1",
                "--seed is -1: expected a whole number from 0 to 2^63 - 1, such as 7",
            ),
            (
                "below the least",
                "--batch-norm 1",
                "--batch-norm is 1: expected a whole number from 2 to 2^63 - 1, or none, such as 50",
            ),
            (
                "something that can be off",
                "--patience -1",
                "--patience is -1: expected a whole number from 1 to 2^63 - 1, or none, such as 5",
            ),
            (
                "by its key",
                "--set training.epochs=0",
                "--set training.epochs is 0: expected a whole number from 1 to 1000000, such as 5",
            ),
            ("no threads", "--threads 0", "--threads is 0: expected a whole number from 1 to 1024"),
            (
                "too many threads",
                "--threads 1025",
                "--threads is 1025: expected a whole number from 1 to 1024",
            ),
            (
                "negative threads",
                "--threads -2",
                "--threads is -2: expected a whole number from 1 to 1024",
            ),
            (
                "threads in words",
                "--threads two",
                "--threads is two: expected a whole number from 1 to 1024",
            ),
            (
                "threads of eval",
                "eval --model x --threads 1.5",
                "--threads is 1.5: expected a whole number from 1 to 1024",
            ),
            (
                "empty threads",
                "eval --model x --threads ''",
                "--threads is empty: expected a whole number from 1 to 1024",
            ),
        ],
    );
}

#[test]
fn real_numbers() {
    let dir = tempfile::tempdir().unwrap();
    check(
        dir.path(),
        USAGE,
        &[
            (
                "negative",
                "--lr -0.5",
                "--lr is -0.5: expected a finite number above 0, such as 0.003",
            ),
            ("zero", "--lr 0", "--lr is 0: expected a finite number above 0, such as 0.003"),
            (
                "a word",
                "--lr fast",
                "--lr is fast: expected a finite number above 0, such as 0.003",
            ),
            (
                "a decimal comma",
                "--lr 0,1",
                "--lr is 0,1: expected a finite number above 0; write 0.1",
            ),
            (
                "two numbers",
                "--lr 0.1,0.2",
                "--lr is 0.1,0.2: expected a finite number above 0, such as 0.003",
            ),
            (
                "not a number",
                "--lr nan",
                "--lr is nan: expected a finite number above 0, such as 0.003",
            ),
            (
                "infinite",
                "--lr inf",
                "--lr is inf: expected a finite number above 0, such as 0.003",
            ),
            (
                "minus infinity",
                "--lr -inf",
                "--lr is -inf: expected a finite number above 0, such as 0.003",
            ),
            (
                "too large for 32 bits",
                "--lr 1e39",
                "--lr is 1e39, which is inf in 32 bits: expected a finite number above 0, such as 0.003",
            ),
            (
                "too small for 32 bits",
                "--lr 1e-50",
                "--lr is 1e-50, which is 0 in 32 bits: expected a finite number above 0, such as 0.003",
            ),
            (
                "too large for 64 bits",
                "--l2 1e999",
                "--l2 is 1e999: expected a finite number of at least 0, such as 0.0001",
            ),
            (
                "a negative penalty",
                "--l1 -1",
                "--l1 is -1: expected a finite number of at least 0, such as 0.00001",
            ),
            (
                "a share of 1",
                "--dropout 1",
                "--dropout is 1: expected a number of at least 0 and below 1, such as 0.5",
            ),
            (
                "a share that 32 bits round to 1",
                "--average 0.99999999999",
                "--average is 0.99999999999, which is 1 in 32 bits: expected a number of at least 0 and below 1, or none, such as 0.99",
            ),
            (
                "a share in per cent",
                "--validation 10%",
                "--validation is 10%: expected a number of at least 0 and below 1; write 0.1",
            ),
            (
                "a share of images by number",
                "--validation 5000",
                "--validation is 5000: expected a number of at least 0 and below 1, such as 0.1",
            ),
            (
                "a decay of 1",
                "--average 1",
                "--average is 1: expected a number of at least 0 and below 1, or none, such as 0.99",
            ),
            (
                "a momentum of 1",
                "--optimizer sgd --momentum 1",
                "--momentum is 1: expected a number of at least 0 and below 1, such as 0.5",
            ),
            (
                "a norm of 0",
                "--max-norm 0",
                "--max-norm is 0: expected a finite number above 0, or none, such as 2",
            ),
            (
                "a norm in words",
                "--clip-norm off",
                "--clip-norm is off: expected a finite number above 0, or none, such as 1",
            ),
            (
                "a negative noise",
                "--noise -0.1",
                "--noise is -0.1: expected a finite number of at least 0, such as 0.1",
            ),
            (
                "more than a turn",
                "--rotate 181",
                "--rotate is 181: expected a number from 0 to 180, such as 10",
            ),
            (
                "a negative shift",
                "--shift -1",
                "--shift is -1: expected a number from 0 to 1024, such as 1.5",
            ),
            (
                "the first of two numbers",
                "--elastic x:4",
                "--elastic is x: expected a number from 0 to 1000, such as 20:4",
            ),
            (
                "the second of two numbers",
                "--elastic 20:0",
                "the second number of --elastic is 0: expected a number from 0.1 to 1000, such as 6",
            ),
            (
                "a word as the second number",
                "--elastic 20:x",
                "the second number of --elastic is x: expected a number from 0.1 to 1000, such as 6",
            ),
            (
                "by its key",
                "--set training.lr=-.5",
                "--set training.lr is -.5: expected a finite number above 0, such as 0.003",
            ),
            (
                "a missing second number",
                "--elastic 20:",
                "the second number of --elastic is empty: expected a number from 0.1 to 1000, such as 6",
            ),
            (
                "a key without a flag",
                "--set training.batch-norm.momentum=0",
                "--set training.batch-norm.momentum is 0: expected a number above 0 and at most 1, such as 0.1",
            ),
            (
                "a value of hundreds of digits",
                concat!(
                    "--lr 1",
                    "0000000000000000000000000000000000000000000000000000000000000000000000000000000000000000"
                ),
                "--lr is 10000000000000000000000000000000000000000000000000000000000000000000000000000000…",
            ),
        ],
    );
}

#[test]
fn names() {
    let dir = tempfile::tempdir().unwrap();
    check(
        dir.path(),
        USAGE,
        &[
            (
                "no activation",
                "--activation softplus",
                "--activation is softplus: expected one of tanh, sigmoid, relu, leaky-relu, elu, gelu, silu, maxout",
            ),
            (
                "a slip",
                "--activation rleu",
                "--activation is rleu: expected one of tanh, sigmoid, relu, leaky-relu, elu, gelu, silu, maxout; did you mean relu?",
            ),
            (
                "an underscore",
                "--activation LEAKY_RELU:0.1",
                "--activation is LEAKY_RELU:0.1: expected one of tanh, sigmoid, relu, leaky-relu, elu, gelu, silu, maxout; did you mean leaky-relu:0.1?",
            ),
            (
                "a parameter out of range",
                "--activation maxout:1",
                "--activation is maxout:1: pieces of maxout is 1: expected from 2 to 64",
            ),
            (
                "a parameter that is negative",
                "--activation elu:-1",
                "--activation is elu:-1: alpha of elu is -1: expected a finite number above 0",
            ),
            (
                "a parameter of one that has none",
                "--activation relu:0.1",
                "--activation is relu:0.1: relu cannot take `0.1` as its parameter",
            ),
            (
                "a parameter that is no number",
                "--activation leaky-relu:x",
                "--activation is leaky-relu:x: leaky-relu cannot take `x` as its parameter",
            ),
            (
                "no initialiser",
                "--init zeros",
                "--init is zeros: expected one of uniform, fan-in, xavier, xavier-normal, he, he-normal",
            ),
            (
                "another name of an initialiser",
                "--init xavier_uniform",
                "--init is xavier_uniform: expected one of uniform, fan-in, xavier, xavier-normal, he, he-normal; did you mean xavier?",
            ),
            (
                "no optimizer",
                "--optimizer lion",
                "--optimizer is lion: expected one of sgd, nesterov, adagrad, rmsprop, adadelta, adam, adamw",
            ),
            (
                "a slip in an optimizer",
                "--optimizer adma",
                "--optimizer is adma: expected one of sgd, nesterov, adagrad, rmsprop, adadelta, adam, adamw; did you mean adam?",
            ),
            (
                "no kind of dropout",
                "--dropout-kind uniform",
                "--dropout-kind is uniform: expected one of bernoulli, gaussian",
            ),
            (
                "no figure to watch",
                "--validation 0.1 --patience 2 --monitor val_loss",
                "--monitor is val_loss: expected one of accuracy, loss",
            ),
            (
                "no schedule",
                "--schedule staircase",
                "--schedule is staircase: expected one of constant, compounding, inverse-time, step, exponential, linear, cosine, one-cycle",
            ),
            (
                "a slip in a schedule",
                "--schedule cosin:warmup=0.1",
                "--schedule is cosin: expected one of constant, compounding, inverse-time, step, exponential, linear, cosine, one-cycle; did you mean cosine?",
            ),
            (
                "a parameter without its name",
                "--schedule cosine:0.1",
                "--schedule is cosine:0.1: `0.1` has no name: write NAME=0.1",
            ),
            (
                "a parameter twice",
                "--schedule linear:0.1,from=0.2",
                "--schedule is linear:0.1,from=0.2: `from` is there twice",
            ),
            (
                "no such parameter",
                "--schedule linear:until=0.2",
                "--schedule is linear:until=0.2: there is no parameter `until`: --help lists those of each kind",
            ),
            (
                "a parameter that is no whole number",
                "--schedule step:0.5",
                "every of --schedule is 0.5: expected a whole number from 1 to 4294967295, such as 10",
            ),
            (
                "a parameter out of range",
                "--schedule inverse-time:-1",
                "decay of --schedule is -1: expected a finite number of at least 0, such as 0.01",
            ),
            (
                "a parameter that is a word",
                "--schedule compounding:x",
                "decay of --schedule is x: expected a finite number of at least 0, such as 0.01",
            ),
            (
                "a warm-up that never ends",
                "--schedule cosine:warmup=1",
                "warmup of --schedule is 1: expected a number of at least 0 and below 1, such as 0.1",
            ),
            (
                "neither true nor false",
                "--deskew=maybe",
                "--deskew is maybe: expected true or false",
            ),
            (
                "the same after a space",
                "--whole-pixels 2",
                "--whole-pixels is 2: expected true or false",
            ),
            (
                "another word for false",
                "--deskew off",
                "--deskew is off: expected true or false; write false",
            ),
            (
                "a switch by its key",
                "--set training.shuffle=yes",
                "--set training.shuffle is yes: expected true or false; write true",
            ),
        ],
    );
}

#[test]
fn lists_and_paths() {
    let dir = tempfile::tempdir().unwrap();
    check(
        dir.path(),
        USAGE,
        &[
            (
                "no units",
                "--hidden ''",
                "--hidden is empty: expected units from 1 to 65536 for each of at most 64 layers, or none, such as 100,50",
            ),
            (
                "a layer of 0",
                "--hidden 5,0",
                "--hidden is 5,0: expected units from 1 to 65536 for each of at most 64 layers, or none, such as 100,50",
            ),
            (
                "a negative layer",
                "--hidden -5",
                "--hidden is -5: expected units from 1 to 65536 for each of at most 64 layers, or none, such as 100,50",
            ),
            (
                "a layer that is too wide",
                "--hidden 65537",
                "--hidden is 65537: expected units from 1 to 65536 for each of at most 64 layers, or none, such as 100,50",
            ),
            (
                "a comma at the end",
                "--hidden 100,",
                "--hidden is 100,: expected units from 1 to 65536 for each of at most 64 layers, or none; write 100",
            ),
            (
                "spaces for commas",
                "--hidden '100 50'",
                "--hidden is 100 50: expected units from 1 to 65536 for each of at most 64 layers, or none; write 100,50",
            ),
            (
                "brackets",
                "--hidden [100,50]",
                "--hidden is [100,50]: expected units from 1 to 65536 for each of at most 64 layers, or none; write 100,50",
            ),
            (
                "as papers write it",
                "--hidden 100x50",
                "--hidden is 100x50: expected units from 1 to 65536 for each of at most 64 layers, or none; write 100,50",
            ),
            (
                "a fraction of a unit",
                "--hidden 1.5",
                "--hidden is 1.5: expected units from 1 to 65536 for each of at most 64 layers, or none, such as 100,50",
            ),
            (
                "a negative weight",
                "--class-weights -1,1",
                "--class-weights is -1,1: expected a number of at least 0 for each class, not all 0, or balanced, or none, such as 1,1,2.5",
            ),
            (
                "weights of 0",
                "--class-weights 0,0",
                "--class-weights is 0,0: expected a number of at least 0 for each class, not all 0, or balanced, or none, such as 1,1,2.5",
            ),
            (
                "a word for weights",
                "--class-weights even",
                "--class-weights is even: expected a number of at least 0 for each class, not all 0, or balanced, or none, such as 1,1,2.5",
            ),
            ("an empty path", "--data ''", "--data is empty: expected a path, such as mnist"),
            (
                "an empty path by its key",
                "--set data.dir=",
                "--set data.dir is empty: expected a path, such as mnist",
            ),
        ],
    );
}
