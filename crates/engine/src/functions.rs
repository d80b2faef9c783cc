//! Trino's functions, under their own names and with their own meaning.
