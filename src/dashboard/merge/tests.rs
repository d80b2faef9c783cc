//! Hand edits, foreign widgets, and what a run does about them.
