//! Tables as a Glue catalog describes them, over objects: for the embedded cloud's Athena.
