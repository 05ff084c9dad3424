//! Benchmarks, told as ratios; see `benches/`.
