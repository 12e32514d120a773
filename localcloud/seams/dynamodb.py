"""DynamoDB: how the text of an expression is read."""

from ministack.services import dynamodb as _dynamodb

from localcloud.seams.replacing import Replaceable

tokenize = Replaceable(_dynamodb, "_tokenize")
condition_syntax_error = Replaceable(_dynamodb, "_condition_syntax_error")
