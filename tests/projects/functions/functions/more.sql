{{ config(volatility='deterministic') }}
number + 1
