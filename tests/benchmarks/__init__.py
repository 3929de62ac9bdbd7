"""Races between this engine and every other one; run by ``make bench``, never by the tests."""
