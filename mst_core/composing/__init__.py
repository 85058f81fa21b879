"""Tunes from networks: form, rhythm lattice, generation, transfer, choice by profile."""
