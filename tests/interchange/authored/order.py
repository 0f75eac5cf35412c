"""Names of tasks, and what waits for what: data, `.after`, both; names that meet."""


from kfp import compiler, dsl


@dsl.component
def Load_Data(n: int = 0) -> int:
    return n


@dsl.component
def add(a: int, b: int = 1) -> int:
    return a + b


@dsl.component
def add_2(a: int) -> int:
    return a


@dsl.pipeline
def order_of__tasks(seed: int = 1):
    """Orders tasks."""
    first = Load_Data(n=seed)
    second = Load_Data().after(first)
    third = add_2(a=1)
    fourth = add(a=first.output, b=second.output).after(third, second)
    fifth = add(a=fourth.output, b=fourth.output)
    sixth = add(a=3).after(fifth)
    add_2(a=sixth.output).after(first, sixth)


compiler.Compiler().compile(order_of__tasks, "order.yaml")
