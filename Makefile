# Short names for what people run. The steps of .ci/run are there and not here, so that
# they work without make.

.PHONY: check lint doc packages test wasm bench-build examples browser mpi recipes bench accuracy kills neon asan \
	tsan miri fuzz mutants peers unsafe targets

check: ## everything that must hold before a change lands
	.ci/run

lint: ## formatting, clippy, the lists of unsafe code and of closed types, words that are not used
	.ci/run lint

doc: ## rustdoc without warnings
	.ci/run doc

test: ## all tests, and those of nn on each instruction set of this CPU
	.ci/run test

packages: ## the four packages, as they would be published, and what must be in them
	.ci/run packages

wasm: ## networks trained in WebAssembly under node, with the bytes of native ones
	.ci/run wasm

bench-build: ## the benches compile
	.ci/run bench-build

examples: ## the examples of nn that take seconds
	.ci/run examples

browser: ## the page of an exported model in Chromium: drawing, keys, touch, accessibility
	.ci/run browser

mpi: ## the trainer with MPI: clippy, and several ranks under mpirun; needs Open MPI and libclang
	.ci/run mpi

recipes: ## three recipes on the real data: accuracy, and the same bits on three threads
	.ci/run recipes

unsafe: ## writes the list of unsafe code into docs/reliability.md
	scripts/unsafe.sh write

bench: ## all benches, and the tables of docs/performance.md from them
	cargo bench -p kernels
	cargo bench -p nn
	cargo bench -p mnist-io
	python3 benches/table.py

accuracy: ## every f32 through every function of one variable; takes minutes
	cargo test -p kernels --release --test accuracy -- --ignored --nocapture

kills: ## kills 100 runs at random instants, up to three times each, and prints what came of it
	cargo test -p trainer --test cli -- --ignored --nocapture many_random_instants

neon: ## kernels, nn and mnist-io in an emulated AArch64 CPU; docs/reliability.md says what it needs
	CARGO_TARGET_AARCH64_UNKNOWN_LINUX_GNU_LINKER=aarch64-linux-gnu-gcc \
	CARGO_TARGET_AARCH64_UNKNOWN_LINUX_GNU_RUNNER="qemu-aarch64 -L /usr/aarch64-linux-gnu" \
	KERNELS_REQUIRE=neon,scalar \
	cargo test -p kernels -p nn -p mnist-io --target aarch64-unknown-linux-gnu

targets: ## the crates compile for macOS and Windows; needs the targets of rustup, but no linker
	scripts/targets.sh

SANITIZED = --target x86_64-unknown-linux-gnu
# Some tests ask for more memory than there is, and are to get none. Without the option the
# sanitizer ends the process there.
asan: ## memory errors; needs a nightly toolchain
	ASAN_OPTIONS=allocator_may_return_null=1 RUSTFLAGS=-Zsanitizer=address \
		cargo +nightly test --tests --no-fail-fast $(SANITIZED) \
		-p kernels -p nn -p mnist-io -p trainer

# The standard library is built with the sanitizer too; otherwise it reports its locks.
tsan: ## data races in the pool of the trainer and in nn; needs nightly and rust-src
	RUSTFLAGS=-Zsanitizer=thread cargo +nightly test -Zbuild-std $(SANITIZED) \
		-p trainer --lib -- pool::
	RUSTFLAGS=-Zsanitizer=thread cargo +nightly test -Zbuild-std $(SANITIZED) \
		-p nn --test it -- threads:: resume::more

# Miri has no AVX, so it runs the scalar path. First with Stacked Borrows, then with Tree
# Borrows.
MIRI = cargo +nightly miri test -p kernels
miri: ## undefined behaviour in kernels; needs a nightly toolchain with miri and rust-src
	$(MIRI) --lib -- buffer:: isa:: mat:: matmul::
	$(MIRI) --test matmul --test simd --test sizes
	MIRIFLAGS=-Zmiri-tree-borrows $(MIRI) --lib -- buffer:: isa:: mat:: matmul::
	MIRIFLAGS=-Zmiri-tree-borrows $(MIRI) --test matmul --test simd --test sizes

SECONDS = 60
fuzz: ## each fuzz target for a minute, or SECONDS=...; needs nightly and cargo-fuzz
	fuzz/run $(SECONDS)

# What cargo-mutants changes, and which tests have to notice.
mutants: ## changes the code in many places, one at a time; needs cargo-mutants and hours
	cargo mutants -p nn --test-tool cargo \
		-f 'crates/nn/src/train/step/*.rs' -f 'crates/nn/src/train/optimizer/*.rs' \
		-f crates/nn/src/train/checkpoint.rs -f crates/nn/src/train/run.rs \
		-f crates/nn/src/tensor_file.rs -f crates/nn/src/files.rs
	cargo mutants -p mnist-io --test-tool cargo

peers: ## the same work in PyTorch, JAX, NumPy, scikit-learn, candle and burn; needs Python
	benches/peers/run
