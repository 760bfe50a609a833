"""Beam graphs and the runners they run on: wiring only; what they map are plain functions of vita_data."""
