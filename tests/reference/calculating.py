"""How expressions calculate: kinds of values, 64 bits, and what is an exception.

The tree that Python makes of an expression is changed so that its operators are the functions below.
"""
import ast

OPERATORS = {ast.Add: '+', ast.Sub: '-', ast.Mult: '*', ast.Div: '/', ast.FloorDiv: '//', ast.Mod: '%'}
COMPARISONS = {ast.Eq: '==', ast.NotEq: '!=', ast.Lt: '<', ast.LtE: '<=', ast.Gt: '>', ast.GtE: '>='}
WRONG_TYPE = 'wrong-type'
LIMIT = 1 << 63


class Ambiguous(Exception):
    """The pages do not say what happens here, or the reference does not know this part of the language."""


class ThreadError(Exception):
    """An exception of a thread of the scenario; its text says what kind it is."""


def call(name, *arguments):
    return ast.Call(ast.Name(name, ast.Load()), list(arguments), [])


class Operators(ast.NodeTransformer):
    """Turns the operators into calls."""

    def visit_BinOp(self, node):
        self.generic_visit(node)
        if type(node.op) not in OPERATORS:
            raise Ambiguous('an operator')
        return call('calculate', ast.Constant(OPERATORS[type(node.op)]), node.left, node.right)

    def visit_UnaryOp(self, node):
        self.generic_visit(node)
        if isinstance(node.op, ast.Not):
            return ast.UnaryOp(ast.Not(), call('truth', node.operand))
        return call('calculate', ast.Constant('-'), ast.Constant(0), node.operand)

    def visit_BoolOp(self, node):
        """`a and b` looks at b only if a does not decide."""
        self.generic_visit(node)
        first, *rest = [call('truth', value) for value in node.values]
        for value in rest:
            yes, no = (value, ast.Constant(False)) if isinstance(node.op, ast.And) else (ast.Constant(True), value)
            first = ast.IfExp(first, yes, no)
        return first

    def visit_Compare(self, node):
        self.generic_visit(node)
        if len(node.ops) > 1 or type(node.ops[0]) not in COMPARISONS:
            raise Ambiguous('a comparison')
        return call('compare', ast.Constant(COMPARISONS[type(node.ops[0])]), node.left, node.comparators[0])

    def visit_Subscript(self, node):
        self.generic_visit(node)
        return call('element', node.value, node.slice)


def compiled(text):
    tree = ast.fix_missing_locations(Operators().visit(ast.parse(text, mode='eval')))
    return compile(tree, '<expression>', 'eval')


def kind_of(value):
    """int, bool, str, tuple for a list, NoneType, or the name of the class of an object."""
    name = type(value).__name__
    return {'list': 'tuple', 'Opened': 'Handle'}.get(name, name)


def truth(value):
    if not isinstance(value, bool):
        raise ThreadError(WRONG_TYPE)
    return value


def calculate(operator, left, right):
    """Integers of 64 bits; division rounds toward zero, and the remainder has the sign of the left side."""
    if kind_of(left) != 'int' or kind_of(right) != 'int':
        raise ThreadError(WRONG_TYPE)
    if operator in '/%' and right == 0:
        raise ThreadError('division-by-zero')
    if operator in '/%':
        quotient = abs(left) // abs(right) * (1 if (left < 0) == (right < 0) else -1)
        result = quotient if operator == '/' else left - quotient * right
    else:
        result = left + right if operator == '+' else left - right if operator == '-' else left * right
    if not -LIMIT <= result < LIMIT:
        raise ThreadError('overflow')
    return result


def compare(operator, left, right):
    """`==` and `!=` compare values of one kind; `none` may be compared with everything."""
    kinds = {kind_of(left), kind_of(right)}
    if operator in ('==', '!='):
        if len(kinds) > 1 and 'NoneType' not in kinds:
            raise ThreadError(WRONG_TYPE)
        if kinds == {'Handle'}:
            left, right = left[:2], right[:2]       # an opened mailbox is that mailbox
        if kinds & {'Message', 'Once', 'Family'} and 'NoneType' not in kinds:
            raise Ambiguous('messages or families are compared')
        if kinds == {'tuple'} and any(kind_of(one) != kind_of(other) for one, other in zip(left, right)):
            raise Ambiguous('lists of several kinds are compared')
        return (left == right) == (operator == '==')
    if kinds not in ({'int'}, {'str'}):
        raise ThreadError(WRONG_TYPE)
    return {'<': left < right, '<=': left <= right, '>': left > right, '>=': left >= right}[operator]


def element(whole, number):
    """Lists count from 0; families from 1, and see to that themselves."""
    if kind_of(number) != 'int':
        raise ThreadError(WRONG_TYPE)
    if kind_of(whole) in ('Family', 'Members'):
        return whole[number]
    if kind_of(whole) != 'tuple':
        raise ThreadError(WRONG_TYPE)
    if not 0 <= number < len(whole):
        raise ThreadError('bad-index')
    return whole[number]


def length(value):
    """Of a text its bytes, of a list its elements, in a claim also of a mailbox its messages."""
    if kind_of(value) not in ('str', 'tuple', 'Family', 'Box'):
        raise ThreadError(WRONG_TYPE)
    return len(value.encode() if kind_of(value) == 'str' else value)


def least(*values):
    return extreme(min, values)


def greatest(*values):
    return extreme(max, values)


def extreme(choose, values):
    if len(values) < 2 or any(kind_of(value) != 'int' for value in values):
        if len({kind_of(value) for value in values}) > 1:
            raise ThreadError(WRONG_TYPE)
        raise Ambiguous('min or max of what is no integer')
    return choose(values)


FUNCTIONS = {'calculate': calculate, 'truth': truth, 'compare': compare, 'element': element, 'len': length,
             'min': least, 'max': greatest}
