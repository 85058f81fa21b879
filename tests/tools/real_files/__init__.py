"""Reads a folder of real files of all formats and compares each with an independent reader.

``python -m tests.tools.real_files FOLDER`` prints one line a file that is not read or not alike,
and a table by format and folder. Nothing is written but ``--json FILE``, one line a file.
"""
