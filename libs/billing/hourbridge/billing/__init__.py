"""The pricing rules: pure functions from charges to priced lines; no input or output."""
