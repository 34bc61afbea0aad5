{{ config(severity='warn') }}
select '<script>window.injected=1</script>' as "inject-me<b>"
