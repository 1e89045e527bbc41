//! The fields of a head, sliced without copying.
