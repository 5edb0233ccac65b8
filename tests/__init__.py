"""Tests that cross packages, and the support code that every test may import."""
