//! Nothing: the benchmarks beside this file are programs of their own.
