-- inject-me </code></pre><script>window.injected = 1</script>
{{ config(alias='odd<b>name', schema='odd<i>schema') }}
select {{ inject_macro('1') }} as id, '<img src=x onerror=window.injected=1>' as "a""b<i>"
