"""Importers: each turns a network of another library into a `snncore.Model` through `snncore.GraphBuilder`."""
