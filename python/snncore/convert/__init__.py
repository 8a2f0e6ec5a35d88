"""Importers: each turns a network of another library into a `Model`, through `GraphBuilder`."""
