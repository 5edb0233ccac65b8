"""The mapping rules: pure functions over a record, its source's facts and a configuration."""
