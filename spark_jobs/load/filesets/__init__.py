"""Folders of files whose manifest says which of them count: the tables of destination `files`."""
