//! perflab
