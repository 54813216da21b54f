# The names by which people call what .ci/run does.

.PHONY: check test lint doc bench accuracy

check: ## everything that must hold before a change lands
	.ci/run

test:
	cargo test --workspace

lint:
	cargo fmt --all --check
	cargo clippy --workspace --all-targets -- -D warnings

doc:
	RUSTDOCFLAGS="-D warnings" cargo doc --workspace --no-deps

bench:
	cargo bench -p kernels
	cargo bench -p nn

accuracy: ## every f32 through tanh, sigmoid and exp; takes minutes
	cargo test -p kernels --release --test accuracy -- --ignored --nocapture
