{% macro cents() %}1
