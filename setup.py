"""Packaging of mltox: all of it is in pyproject.toml.

The file stays for what starts from it: `python setup.py sdist` makes what Dataflow's image
installs.
"""

from setuptools import setup

setup()
