"""Mutation tests of the rule modules: does some test fail when a rule is changed?"""
