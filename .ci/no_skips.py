"""Fails if a test was skipped that has to run in CI. Argument: the JUnit file of a test run."""

import sys
import xml.etree.ElementTree as ET

skipped = [
    (case.get("classname"), case.get("name"), skip.get("message"))
    for case in ET.parse(sys.argv[1]).iter("testcase")
    for skip in case.iter("skipped")
]
for classname, name, message in skipped:
    print(f"skipped, but must run in CI: {classname}::{name}: {message}")
sys.exit(1 if skipped else 0)
