# `just check` is what CI runs.

check:
    ci/check

run *arguments:
    cargo run --release -- {{arguments}}

test:
    cargo test
