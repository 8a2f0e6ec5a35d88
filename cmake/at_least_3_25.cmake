cmake_minimum_required(VERSION 3.25) # run with `cmake -P` to learn whether this cmake is new enough
