"""Upkeep of tables: what is done to them beside loading. A format is one file; its destination names the class.

A destination that can be kept up has an option `maintenance` (options.py), and `upkeep`, the `module:Class` of an
`Upkeep` (base.py): Iceberg or a third party's adds one file, and no list here changes.
"""
