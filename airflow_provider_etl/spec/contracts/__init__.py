"""Contracts as files: what a dataset promises, said once for those who load it and those who read it.

A contract's columns become the source's own `columns`, its rules steps and checks: a plan holds all of it, and no file
is read on a cluster. Nodes keep their places, so what is wrong in a contract is told there.
"""
