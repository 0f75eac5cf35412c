"""Notebook code: magic lines, where code was written, and a function read as a component.

A cell's text is parsed and never run here, except the few statements that its interface is made of.
"""
