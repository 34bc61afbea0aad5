//! Objects that dbt hands to Jinja: relations, columns, tables.
