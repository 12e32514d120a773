import "./app/shell";
