"""Scripts of few lines that grow without end when followed naively: each text goes before a training script."""

_CLASSES = "class A0: pass\nclass A1(A0): pass\n" + "".join(
    f"class A{n}(A{n - 1}, A{n - 2}): pass\n" for n in range(2, 60)
)
_CHOOSING = "".join(f"def f{n}(x): return (f{n - 1} if x.a else g{n - 1})(x)\ng{n} = f{n}\n" for n in range(1, 25))
_LOOPS = "".join(f"{' ' * depth}for a{depth} in [1, 2, 3, 4, 5, 6]:\n" for depth in range(18))

GROWING: dict[str, str] = {
    "lists that double": "x = [1]\n" + "x = x + x\n" * 60,
    "lists that extend themselves": "x = [1]\n" + "x.extend(x)\n" * 60,
    "stars that double": "x = [1]\n" + "x = [*x, *x]\n" * 60,
    "arguments that double": "x = [1, 2]\ndef f(*a): return a\n" + "x = f(*x, *x)\n" * 60,
    "numbers that square": "x = 3\n" + "x = x * x\n" * 60,
    "bytes that double": "x = b'ab'\n" + "x = x + x\n" * 60,
    "wide formats": "x = '%999999999d' % 5\ny = '{:999999999}'.format(1)\nz = f'{1:999999999}'\n",
    "texts that replace": "x = 'a' * 9\ny = 'aaaaaaaa'\n" + f"y = y.replace('a', '{'a' * 90}')\n" * 10,
    "long ranges": "x = list(range(10**12))\nfor i in range(10**12):\n    for j in x: print(j)\n",
    "sums of unknowns": "x = f()\n" + "x = x + g(x)\n" * 300,
    "pairs of pairs": "x = f()\n" + "x = (x, x)\n" * 100,
    "paths of unknowns": "import os, yaml, importlib\nx = os.environ['a']\n"
    + "x = os.path.join(x, 'a', f'{x}{x}')\n" * 40
    + "yaml.safe_load(open(x))\nimportlib.import_module(x)\neval(x)\n",
    "choices": "import sys\n"
    + "".join(f"x{i} = {i} if sys.argv[{i}] else -{i}\n" for i in range(40))
    + "y = " + " + ".join(f"x{i}" for i in range(40)) + "\n",
    "choices of functions": f"def f0(x): return x\ng0 = f0\n{_CHOOSING}f24(1)\n",
    "diamonds of classes": f"{_CLASSES}A59().x\n",
    "an object within itself": "class A: pass\na = A()\na.b = a\n" + "a.b = a.b.b\n" * 100 + "a.b.c.d(a)\n",
    "dictionaries within themselves": "x = {'a': 1}\n" + "x = {**x, 'b': x}\n" * 60,
    "functions of functions": "f = lambda x: x\n" + "f = (lambda g: lambda x: g(g(x)))(f)\n" * 30 + "f(1)\n",
    "loops within loops": _LOOPS + " " * 18 + "f(a1)\n",
    "a long chain of else": "if a: x = 1\n" + "".join(f"elif b{i}: x = {i}\n" for i in range(800)),
    "deep attributes": "x = a" + ".b" * 3000 + "\n",
    "a long literal": "x = [" + "1, " * 100_000 + "]\n",
    "texts that are evaluated": "import sys\nx = eval('(' * 400 + '1' + ')' * 400)\neval('(' * 90 + '1' + ')' * 90)\n",
    "a text of a megabyte": f"x = '{'a' * 1_000_000}'\ny = x + x\nz = x.replace('a', x)\nopen(x)\n",
}  # fmt: skip
